import { milliseconds } from '../core/duration.ts';
import type { Reader } from '../store/store.ts';
import { type Digest, digestOf } from './digest.ts';
import type { Job } from './schedule.ts';

const BOT = { kind: 'bot', id: 'tourniquet', authn: 'schedule' } as const;

/** Says every hour that the log goes on: without it nobody could tell a log that was cut short from a quiet week. */
export const heartbeat = (pattern = '0 * * * *'): Job => ({
  name: 'heartbeat',
  pattern,
  atFirst: 'run',
  record: (append) => void append({ type: 'heartbeat', actor: BOT }),
});

/** Hands over, every Monday at seven, what the seven days before it brought. */
export const weeklyDigest = (db: Reader, deliver: (digest: Digest) => Promise<void>, pattern = '0 7 * * 1'): Job => ({
  name: 'weekly-digest',
  pattern,
  atFirst: 'wait',
  perform: async (slot) =>
    deliver(await digestOf(db, { from: new Date(slot.getTime() - milliseconds('7d')), to: slot })),
});
