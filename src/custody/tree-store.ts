import type { Reader, Store } from '../store/store.ts';
import { type Hash, MerkleTree } from './merkle.ts';
import { type ReadTile, TILE_WIDTH } from './tiles.ts';

/** The tree of the log in the database: leaves are the ledger's own column, the roots above whole tiles a cache that can be dropped. */

const PAGE = 64 * TILE_WIDTH;

/** Tiles as the database has them, as wide as they are so far. */
export const tilesIn =
  (db: Reader): ReadTile =>
  (level, index) =>
    level === 0 ? leavesOf(db, index * TILE_WIDTH, TILE_WIDTH) : nodesOf(db, level, index * TILE_WIDTH, TILE_WIDTH);

/** Completes the cache for a log of `size` entries. May run again, or twice at once: it writes what is missing and nothing else. */
export async function growTree(store: Store, size: number): Promise<void> {
  for (let level = 1, below = size; below >= TILE_WIDTH; level += 1, below = Math.floor(below / TILE_WIDTH)) {
    const whole = Math.floor(below / TILE_WIDTH);
    let have = await countNodes(store.db, level);
    while (have < whole) {
      const from = have * TILE_WIDTH;
      const count = Math.min(PAGE, whole * TILE_WIDTH - from);
      const hashes =
        level === 1 ? await leavesOf(store.db, from, count) : await nodesOf(store.db, level - 1, from, count);
      const roots = rootsOf(hashes);
      if (roots.length * TILE_WIDTH !== count) return; // rows are missing: whoever reads the log will say so
      const rows = roots.map((hash, i) => ({ level, idx: have + i, hash }));
      await store.transaction(async (tx) => {
        await tx
          .insertInto('tree_node')
          .values(rows)
          .onConflict((conflict) => conflict.columns(['level', 'idx']).doNothing())
          .execute();
      });
      have += roots.length;
    }
  }
}

/** Drops the cache: `growTree` makes it anew. */
export async function dropTree(store: Store): Promise<void> {
  await store.transaction(async (tx) => void (await tx.deleteFrom('tree_node').execute()));
}

function rootsOf(hashes: readonly Hash[]): readonly Hash[] {
  const roots: Hash[] = [];
  for (let at = 0; at + TILE_WIDTH <= hashes.length; at += TILE_WIDTH) {
    roots.push(new MerkleTree(hashes.slice(at, at + TILE_WIDTH)).root());
  }
  return roots;
}

async function leavesOf(db: Reader, from: number, count: number): Promise<readonly Hash[]> {
  const rows = await db
    .selectFrom('ledger')
    .select('leaf')
    .where('seq', '>=', from)
    .where('seq', '<', from + count)
    .orderBy('seq')
    .execute();
  return rows.map(({ leaf }) => leaf);
}

async function nodesOf(db: Reader, level: number, from: number, count: number): Promise<readonly Hash[]> {
  const rows = await db
    .selectFrom('tree_node')
    .select('hash')
    .where('level', '=', level)
    .where('idx', '>=', from)
    .where('idx', '<', from + count)
    .orderBy('idx')
    .execute();
  return rows.map(({ hash }) => hash);
}

/** Nodes are written from the left without a gap. */
async function countNodes(db: Reader, level: number): Promise<number> {
  const row = await db
    .selectFrom('tree_node')
    .select('idx')
    .where('level', '=', level)
    .orderBy('idx', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row ? row.idx + 1 : 0;
}
