import type { Entry } from '../core/entry.ts';
import type { Reader } from '../store/store.ts';
import { entryOf } from './row.ts';

/**
 * The entries of one run or one incident, in order, read through `db`: inside a transaction, that transaction.
 * Throws when a row was changed behind the ledger's back.
 */
export async function readEntries(db: Reader, column: 'run' | 'incident', value: string): Promise<readonly Entry[]> {
  const rows = await db.selectFrom('ledger').selectAll().where(column, '=', value).orderBy('seq').execute();
  return rows.map(entryOf);
}

/** The entries of the log from sequence number `seq` on, in order. Throws when a row was changed behind the ledger's back. */
export async function entriesFrom(db: Reader, seq: number): Promise<readonly Entry[]> {
  const rows = await db.selectFrom('ledger').selectAll().where('seq', '>=', seq).orderBy('seq').execute();
  return rows.map(entryOf);
}
