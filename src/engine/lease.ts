import { sql } from 'kysely';
import type { Entry } from '../core/entry.ts';
import type { Append, Ledger } from '../custody/ledger.ts';
import type { RunTable } from '../store/schema.ts';
import type { Store, Tx } from '../store/store.ts';

/** How long a worker that fell silent keeps a run from the others. One that lives renews it: see hold.ts. */
export const LEASE_MS = 5_000;

/** Past every priority there is. */
const LAST = 1_000;

/** Stands in `wake_at_ms` while someone works on the run, so that a wake-up which comes meanwhile is seen when they are done. */
const AT_WORK = 0;

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

/** Takes the most urgent run (of a priority not past `worst`) that is due and that nobody works on, past those that others are taking. Null when there is none. */
export async function claim(store: Store, owner: string, now: Date, worst = LAST): Promise<Lease | null> {
  return store.transaction(async (tx) => {
    const due = await tx
      .selectFrom('run')
      .select(['id', 'incident', 'epoch'])
      .where('state', '=', 'open')
      .where('wake_at_ms', '<=', now.getTime())
      .where('lease_until_ms', '<=', now.getTime())
      .where('priority', '<=', worst)
      .orderBy('priority')
      .orderBy('wake_at_ms')
      .limit(1)
      .$if(store.name === 'postgres', (query) => query.forUpdate().skipLocked())
      .executeTakeFirst();
    if (!due) return null;
    const epoch = due.epoch + 1;
    await tx
      .updateTable('run')
      .set({ lease_owner: owner, lease_until_ms: now.getTime() + LEASE_MS, epoch, wake_at_ms: AT_WORK })
      .where('id', '=', due.id)
      .execute();
    return { run: due.id, incident: due.incident, owner, epoch };
  });
}

/** Keeps the run for another `LEASE_MS`. False when it is not ours any more. */
export async function renew(store: Store, lease: Lease, now: Date): Promise<boolean> {
  return store.transaction(async (tx) => {
    const ours = tx
      .updateTable('run')
      .set({ lease_until_ms: now.getTime() + LEASE_MS })
      .where('id', '=', lease.run)
      .where('epoch', '=', lease.epoch)
      .where('lease_owner', '=', lease.owner);
    return (await ours.executeTakeFirst()).numUpdatedRows > 0n;
  });
}

/** Whether anything is due, without taking it. */
export async function anyDue(store: Store, now: Date, worst = LAST): Promise<boolean> {
  const row = await store.db
    .selectFrom('run')
    .select('id')
    .where('state', '=', 'open')
    .where('wake_at_ms', '<=', now.getTime())
    .where('lease_until_ms', '<=', now.getTime())
    .where('priority', '<=', worst)
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
    return change(tx, append, row);
  });
}

/**
 * Gives the run back, to be looked at again at `wakeAt` (null: only when a person moves it). Whoever woke it meanwhile is heeded.
 * Does nothing when it is not ours any more.
 */
export async function release(store: Store, lease: Lease, wakeAt: number | null): Promise<void> {
  await store.transaction((tx) =>
    tx
      .updateTable('run')
      .set((run) => ({
        lease_owner: null,
        lease_until_ms: 0,
        wake_at_ms: run
          .case()
          .when('wake_at_ms', '=', AT_WORK)
          .then(sql<number | null>`cast(${wakeAt} as bigint)`)
          .else(run.ref('wake_at_ms'))
          .end(),
      }))
      .where('id', '=', lease.run)
      .where('epoch', '=', lease.epoch)
      .where('lease_owner', '=', lease.owner)
      .execute(),
  );
}

/** Lets the run rest until `until` whatever woke it: our own code fails on it, and would at once fail again. */
export async function rest(store: Store, lease: Lease, until: number): Promise<void> {
  await store.transaction((tx) =>
    tx
      .updateTable('run')
      .set({ lease_owner: null, lease_until_ms: 0, wake_at_ms: until })
      .where('id', '=', lease.run)
      .where('epoch', '=', lease.epoch)
      .where('lease_owner', '=', lease.owner)
      .execute(),
  );
}

/** When the next open run can be taken: it is due, and whoever works on it would have fallen silent by then. Null when none is. */
export async function nextDue(store: Store): Promise<number | null> {
  const row = await store.db
    .selectFrom('run')
    .select((run) => {
      const leased = run.case().when('lease_until_ms', '>', run.ref('wake_at_ms'));
      return run.fn
        .min<number | null>(leased.then(run.ref('lease_until_ms')).else(run.ref('wake_at_ms')).end())
        .as('at');
    })
    .where('state', '=', 'open')
    .where('wake_at_ms', 'is not', null)
    .executeTakeFirst();
  return row?.at ?? null;
}
