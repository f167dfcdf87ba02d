import type { Entry } from '../core/entry.ts';
import type { LedgerTable } from '../store/schema.ts';
import { decode } from './canonical.ts';
import { parseEntry } from './envelope.ts';
import { leafHash } from './merkle.ts';

/** How an entry stands in the table. */
export const rowOf = (entry: Entry, bytes: Buffer): LedgerTable => ({
  seq: entry.seq,
  incident: entry.incident ?? null,
  run: entry.run ?? null,
  type: entry.type,
  bytes,
  leaf: leafHash(bytes),
});

/** The entry in a row. Throws when the row is not as the ledger wrote it. */
export function entryOf(row: LedgerTable): Entry {
  const where = `Entry ${row.seq} was changed in the database behind the ledger's back`;
  if (leafHash(row.bytes) !== row.leaf)
    throw new Error(`${where}: its bytes no longer have their hash. Stop, and keep a copy`);
  const entry = parseEntry(decode(row.bytes));
  const written = rowOf(entry, row.bytes);
  for (const column of ['seq', 'incident', 'run', 'type'] as const) {
    if (written[column] !== row[column])
      throw new Error(`${where}: its column ${column} contradicts its bytes. Stop, and keep a copy`);
  }
  return entry;
}
