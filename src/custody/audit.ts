import type { Reader } from '../store/store.ts';
import { appendLeaf, EMPTY_RANGE, leafHash, rootOf } from './merkle.ts';
import { parseVkey, type VerifierKey } from './note.ts';
import { rotationsIn } from './rotation.ts';
import { entryOf } from './row.ts';
import { believe, checkHead, StoreTampered } from './state.ts';

export type StoreReport =
  | { readonly ok: true; readonly size: number; readonly root: string; readonly checkpoints: number }
  | { readonly ok: false; readonly problem: string };

const PAGE = 1_000;

/**
 * Reads the whole log again: every entry strictly, every leaf hash, every checkpoint ever signed against the root at its size.
 * Reports the first contradiction; throws only when the database or `vkey` cannot be read.
 */
export async function verifyStore(db: Reader, vkey: string): Promise<StoreReport> {
  try {
    await checkHead(db, vkey);
    const keyAt = await keysOf(db, vkey);
    let range = EMPTY_RANGE;
    let checkpoints = 0;
    for (;;) {
      const rows = await db
        .selectFrom('ledger')
        .selectAll()
        .where('seq', '>=', range.size)
        .orderBy('seq')
        .limit(PAGE)
        .execute();
      if (rows.length === 0) break;
      const upTo = range.size + rows.length;
      const signed = await db
        .selectFrom('checkpoint')
        .selectAll()
        .where('size', '>', range.size)
        .where('size', '<=', upTo)
        .execute();
      const bySize = new Map(signed.map((row) => [row.size, row]));
      for (const row of rows) {
        if (row.seq !== range.size) throw new StoreTampered(`Entry ${range.size} is missing`);
        entryOf(row);
        range = appendLeaf(range, leafHash(row.bytes));
        const checkpoint = bySize.get(range.size);
        if (!checkpoint) continue;
        checkpoints += 1;
        if (believe(checkpoint, keyAt(checkpoint.size)).root !== rootOf(range)) {
          throw new StoreTampered(`The entries up to ${row.seq} do not have the root hash that was signed for them`);
        }
      }
    }
    return { ok: true, size: range.size, root: rootOf(range), checkpoints };
  } catch (error) {
    if (!(error instanceof StoreTampered)) throw error;
    return { ok: false, problem: error.message };
  }
}

/** The key that signs a checkpoint of a size: the last one that an entry below it brought. */
async function keysOf(db: Reader, vkey: string): Promise<(size: number) => VerifierKey> {
  const rotations = await rotationsIn({ db });
  const last = rotations.at(-1);
  if (last && last.to !== vkey) throw new StoreTampered(`The log's key is ${last.to}, not ${vkey}`);
  return (size) => parseVkey(rotations.findLast(({ seq }) => seq < size)?.to ?? rotations[0]?.from ?? vkey);
}
