import { randomUUID } from 'node:crypto';
import { type Clock, systemClock } from '../../src/core/clock.ts';
import { type Ledger, openLedger } from '../../src/custody/ledger.ts';
import { generateSigner } from '../../src/custody/signer.ts';
import { openRun } from '../../src/incident/open.ts';
import type { Store, Tx } from '../../src/store/store.ts';

const SIGNER = generateSigner('test.example/store', new Uint8Array(32).fill(3));
export const VKEY = SIGNER.vkey;
const BOT = { kind: 'bot', id: 'tourniquet', authn: 'engine' } as const;

/** A ledger on `store`, as one replica has it; all replicas share the key. */
export const ledgerOn = (store: Store, clock: Clock = systemClock): Promise<Ledger> =>
  openLedger({
    store,
    clock,
    mode: 'drill',
    origin: SIGNER.name,
    tool: { name: 'tourniquet', version: 'test', configSha256: '0'.repeat(64) },
    signer: SIGNER,
    random: randomUUID,
  });

export const heartbeat = { type: 'heartbeat', actor: BOT } as const;

/** Opens `count` runs that are due at `now`, in one commit. */
export function openRuns(ledger: Ledger, count: number, now: Date): Promise<readonly string[]> {
  return ledger.commit(async (tx, append) => {
    const ids: string[] = [];
    for (let i = 0; i < count; i += 1) {
      const opening = { tx, append, actor: BOT, policySha256: '0'.repeat(64), now, random: randomUUID };
      ids.push(
        await openRun(opening, {
          incident: 'incident-1',
          credential: { kind: 'vendor.key', id: randomUUID(), where: {} },
          opened: { runbook: 'test', params: {}, severity: 'high', exposure: 'public', validity: 'active' },
        }),
      );
    }
    return ids;
  });
}

export const put = (tx: Tx, key: string, value: string): Promise<unknown> =>
  tx.insertInto('setting').values({ key, value }).execute();

export const settings = async (store: Store): Promise<Record<string, string>> => {
  const rows = await store.db.selectFrom('setting').selectAll().where('key', '<>', '').orderBy('key').execute();
  return Object.fromEntries(rows.map(({ key, value }) => [key, value]));
};
