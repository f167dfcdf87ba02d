import type { Standing } from '../core/standing.ts';
import type { Tx } from '../store/store.ts';

/** Says that what people see of the incident has changed. */
export async function touch(tx: Tx, incident: string): Promise<void> {
  await tx
    .updateTable('incident')
    .set((row) => ({ revision: row('revision', '+', 1) }))
    .where('id', '=', incident)
    .execute();
}

/** Makes the engine look at the run at once. */
export async function wake(tx: Tx, run: string, now: Date): Promise<void> {
  await tx.updateTable('run').set({ wake_at_ms: now.getTime() }).where('id', '=', run).execute();
}

/** Closes the incident when none of its runs is open any more. */
export async function closeIfOver(tx: Tx, incident: string, now: Date): Promise<void> {
  const open = await tx
    .selectFrom('run')
    .select('id')
    .where('incident', '=', incident)
    .where('state', '=', 'open')
    .limit(1)
    .executeTakeFirst();
  if (open) return;
  await tx
    .updateTable('incident')
    .set({ state: 'closed', closed_at: now.toISOString() })
    .where('id', '=', incident)
    .execute();
}

/** Opens a closed run again, with its target lock. False when another run holds the lock by now. */
export async function reopen(
  tx: Tx,
  run: { readonly id: string; readonly incident: string; readonly lock: string },
  now: Date,
): Promise<boolean> {
  const holder = await tx.selectFrom('run').select('id').where('lock_key', '=', run.lock).executeTakeFirst();
  if (holder && holder.id !== run.id) return false;
  const status: Standing = 'undoing';
  await tx
    .updateTable('run')
    .set({ state: 'open', lock_key: run.lock, wake_at_ms: now.getTime(), status })
    .where('id', '=', run.id)
    .execute();
  await tx.updateTable('incident').set({ state: 'open', closed_at: null }).where('id', '=', run.incident).execute();
  return true;
}
