import { fold, type RunState } from '../core/journal.ts';
import { readEntries } from '../custody/read.ts';
import { refOf } from '../incident/view.ts';
import type { RunTable } from '../store/schema.ts';
import type { Tx } from '../store/store.ts';

export interface FoundRun {
  readonly row: RunTable;
  readonly ref: string;
  readonly state: RunState;
}

/** The run called `id`, as its journal stands inside `tx`. */
export async function findRun(tx: Tx, id: string): Promise<FoundRun | null> {
  const row = await tx.selectFrom('run').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) return null;
  const incident = await tx
    .selectFrom('incident')
    .select('number')
    .where('id', '=', row.incident)
    .executeTakeFirstOrThrow();
  const state = fold(await readEntries(tx, 'run', id));
  return state ? { row, ref: refOf(incident.number), state } : null;
}
