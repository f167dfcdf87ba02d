import type { Entry } from '../core/entry.ts';
import type { Append, Ledger } from '../custody/ledger.ts';
import type { RunTable } from '../store/schema.ts';
import type { Store, Tx } from '../store/store.ts';

/** How long a worker that fell silent keeps a run from the others. Longer than any provider call may take. */
export const LEASE_MS = 30_000;

/** The right to move one run: whoever holds a higher epoch has taken it over. */
export interface Lease {
  readonly run: string;
  readonly incident: string;
  readonly owner: string;
  /** The fencing token. */
  readonly epoch: number;
}

/** The lease was lost, or a person wrote to the journal meanwhile: what was about to be recorded no longer follows from it. */
export class Superseded extends Error {
  override readonly name = 'Superseded';
}

/** Takes the most urgent run that is due and that nobody works on. Null when there is none. */
export async function claim(store: Store, owner: string, now: Date): Promise<Lease | null> {
  return store.transaction(async (tx) => {
    const due = await tx
      .selectFrom('run')
      .selectAll()
      .where('state', '=', 'open')
      .where('wake_at_ms', '<=', now.getTime())
      .where('lease_until_ms', '<=', now.getTime())
      .orderBy('priority')
      .orderBy('wake_at_ms')
      .limit(1)
      .executeTakeFirst();
    if (!due) return null;
    const epoch = due.epoch + 1;
    await tx
      .updateTable('run')
      .set({ lease_owner: owner, lease_until_ms: now.getTime() + LEASE_MS, epoch })
      .where('id', '=', due.id)
      .execute();
    return { run: due.id, incident: due.incident, owner, epoch };
  });
}

/** Whether anything is due, without taking it. */
export async function anyDue(store: Store, now: Date): Promise<boolean> {
  const row = await store.db
    .selectFrom('run')
    .select('id')
    .where('state', '=', 'open')
    .where('wake_at_ms', '<=', now.getTime())
    .where('lease_until_ms', '<=', now.getTime())
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/**
 * Appends under the lease: in the transaction it is checked that the lease is still ours and that the journal still ends at
 * `lastSeq`, so that nothing is ever recorded, nor done, that does not follow from everything that was said before.
 * Throws Superseded otherwise, with nothing written.
 */
export async function appendUnder(
  ledger: Ledger,
  lease: Lease,
  lastSeq: number,
  now: Date,
  change: (tx: Tx, append: Append, row: RunTable) => Promise<readonly Entry[]>,
): Promise<readonly Entry[]> {
  return ledger.commit(async (tx, append) => {
    const row = await tx.selectFrom('run').selectAll().where('id', '=', lease.run).executeTakeFirstOrThrow();
    if (row.epoch !== lease.epoch || row.lease_owner !== lease.owner) {
      throw new Superseded(`run ${lease.run} was taken over (epoch ${row.epoch}, ours ${lease.epoch})`);
    }
    const last = await tx
      .selectFrom('ledger')
      .select('seq')
      .where('run', '=', lease.run)
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow();
    if (last.seq !== lastSeq) throw new Superseded(`run ${lease.run} has news at entry ${last.seq}`);
    const entries = await change(tx, append, row);
    await tx
      .updateTable('run')
      .set({ lease_until_ms: now.getTime() + LEASE_MS })
      .where('id', '=', lease.run)
      .execute();
    return entries;
  });
}

/** Gives the run back, to be looked at again at `wakeAt` (null: only when a person moves it). News that came meanwhile wakes it at once. */
export async function release(
  store: Store,
  lease: Lease,
  lastSeq: number,
  wakeAt: number | null,
  now: Date,
): Promise<void> {
  await store.transaction(async (tx) => {
    const last = await tx
      .selectFrom('ledger')
      .select('seq')
      .where('run', '=', lease.run)
      .orderBy('seq', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow();
    await tx
      .updateTable('run')
      .set({ lease_owner: null, lease_until_ms: 0, wake_at_ms: last.seq === lastSeq ? wakeAt : now.getTime() })
      .where('id', '=', lease.run)
      .where('epoch', '=', lease.epoch)
      .execute();
  });
}
