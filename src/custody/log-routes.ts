import { type Context, Hono } from 'hono';
import type { Reader } from '../store/store.ts';
import { cosignedNote } from './anchors/store.ts';
import { parseVkey } from './note.ts';
import { lastCheckpoint } from './state.ts';
import { parseTilePath, TILE_WIDTH, type TileName, widthOf } from './tiles.ts';
import { tilesIn } from './tree-store.ts';

export interface LogRoutesOptions {
  readonly db: Reader;
  readonly vkey: string;
  /** Whether anyone who reaches this port may read the entries themselves. Their hashes are served always: they betray nothing. */
  readonly publicEntries: boolean;
}

const FOR_EVER = 'public, max-age=31536000, immutable';
const PREFIX = '/log/tile/';

/**
 * The log for witnesses and monitors, read-only, under `/log/`: https://c2sp.org/tlog-tiles. What is beyond the newest signed
 * checkpoint is not served.
 */
export function logRoutes({ db, vkey, publicEntries }: LogRoutesOptions): Hono {
  const key = parseVkey(vkey);
  const routes = new Hono();

  routes.get('/log/checkpoint', async (c) => {
    const checkpoint = await lastCheckpoint(db, key);
    if (!checkpoint) return c.text('The log is empty: there is no checkpoint yet\n', 404);
    return c.text(await cosignedNote(db, checkpoint.size), 200, { 'cache-control': 'no-cache' });
  });

  routes.get(`${PREFIX}*`, async (c) => {
    const tile = parseTilePath(c.req.path.slice(PREFIX.length));
    if (!tile) return c.text('That is no tile of https://c2sp.org/tlog-tiles\n', 404);
    if (tile.level === 'entries' && !publicEntries) {
      return c.text('The entries of this log are not public; its hashes are\n', 403);
    }
    const size = (await lastCheckpoint(db, key))?.size ?? 0;
    if (tile.width > widthOf(tile.level, tile.index, size)) return c.text('The log does not reach that far\n', 404);
    const bytes = await bytesOf(db, tile);
    return bytes ? binary(c, bytes) : c.text('The log does not reach that far yet\n', 404);
  });

  return routes;
}

/** Undefined while the cache of the tree has not come so far. */
async function bytesOf(db: Reader, { level, index, width }: TileName): Promise<Buffer | undefined> {
  if (level === 'entries') return entriesOf(db, index, width);
  const hashes = await tilesIn(db)(level, index);
  return hashes.length < width ? undefined : Buffer.from(hashes.slice(0, width).join(''), 'hex');
}

/** Each entry after its length in two bytes, big-endian. */
async function entriesOf(db: Reader, index: number, width: number): Promise<Buffer> {
  const from = index * TILE_WIDTH;
  const rows = await db
    .selectFrom('ledger')
    .select('bytes')
    .where('seq', '>=', from)
    .where('seq', '<', from + width)
    .orderBy('seq')
    .execute();
  return Buffer.concat(rows.flatMap(({ bytes }) => [Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]));
}

/** A tile never changes: a wider one has another address. */
const binary = (c: Context, bytes: Buffer): Response =>
  c.body(new Uint8Array(bytes), 200, { 'content-type': 'application/octet-stream', 'cache-control': FOR_EVER });
