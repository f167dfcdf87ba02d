import { randomBytes } from 'node:crypto';
import { formatSkey, isKeyName } from '../custody/note.ts';
import { CommandError, type Io } from './io.ts';

/** Prints fresh keys as settings, and keeps them nowhere: whoever asked puts them where their secrets live. */
export function newKeys(io: Io, origin: string): void {
  if (!isKeyName(origin))
    throw new CommandError(`"${origin}" cannot name a log: write a name without spaces and plus signs.`, 2);
  io.out(`TOURNIQUET_MASTER_KEY=${randomBytes(32).toString('base64')}`);
  io.out(`TOURNIQUET_LOG_KEY=${formatSkey(origin, randomBytes(32))}`);
}
