import { sql } from 'kysely';
import type { Clock } from '../core/clock.ts';
import type { Store } from './store.ts';

/**
 * Replicas tell by their own clocks when another's lease is over, so all of them keep time with the database. A worker stops
 * believing in its lease half a second before it ends: two clocks this far off on either side of the database's stay within that.
 */
const MOST_MS = 250;

/** Refuses, in words, a machine whose clock is not that of the PostgreSQL database. */
export async function refuseSkew(store: Store, clock: Clock): Promise<void> {
  const before = clock.now().getTime();
  const { rows } = await sql<{ ms: number }>`
    select cast(extract(epoch from clock_timestamp()) * 1000 as bigint) as ms
  `.execute(store.db);
  const after = clock.now().getTime();
  const there = rows[0]?.ms ?? Number.NaN;
  // The database looked at its clock somewhere in between.
  const skew = Math.max(0, before - there, there - after);
  if (skew <= MOST_MS) return;
  throw new Error(
    `The clock of this machine and that of the database are ${(skew / 1_000).toFixed(1)} s apart, and leases on runs need them ` +
      'together: two replicas could work on one run. Keep both in step (NTP), and start again.',
  );
}
