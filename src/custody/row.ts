import type { Entry } from '../core/entry.ts';
import type { LedgerTable } from '../store/schema.ts';
import { decode, NotCanonical } from './canonical.ts';
import { BadEntry, parseEntry } from './envelope.ts';
import { leafHash } from './merkle.ts';
import { StoreTampered } from './state.ts';

/** How an entry stands in the table. */
export const rowOf = (entry: Entry, bytes: Buffer): LedgerTable => ({
  seq: entry.seq,
  incident: entry.incident ?? null,
  run: entry.run ?? null,
  type: entry.type,
  bytes,
  leaf: leafHash(bytes),
});

/** The entry in a row. Throws StoreTampered when the row is not as the ledger wrote it. */
export function entryOf(row: LedgerTable): Entry {
  if (leafHash(row.bytes) !== row.leaf)
    throw new StoreTampered(`Entry ${row.seq} was changed: its bytes do not have its hash`);
  const entry = parsed(row);
  const written = rowOf(entry, row.bytes);
  for (const column of ['seq', 'incident', 'run', 'type'] as const) {
    if (written[column] !== row[column]) {
      throw new StoreTampered(`Entry ${row.seq} was changed: its column ${column} contradicts its bytes`);
    }
  }
  return entry;
}

function parsed({ seq, bytes }: LedgerTable): Entry {
  try {
    return parseEntry(decode(bytes));
  } catch (error) {
    if (!(error instanceof NotCanonical) && !(error instanceof BadEntry)) throw error;
    throw new StoreTampered(`Entry ${seq} was changed: it is not an entry that this ledger writes. ${error.message}`);
  }
}
