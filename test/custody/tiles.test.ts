import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { exportBundle } from '../../src/custody/bundle.ts';
import { logRoutes } from '../../src/custody/log-routes.ts';
import { leafHash, MerkleTree, verifyConsistency, verifyInclusion } from '../../src/custody/merkle.ts';
import { formatPolicy, parsePolicy } from '../../src/custody/policy.ts';
import { parseTilePath, TILE_WIDTH, TiledTree, tilePath, widthOf } from '../../src/custody/tiles.ts';
import { dropTree, growTree, tilesIn } from '../../src/custody/tree-store.ts';
import { verifyBundle } from '../../src/custody/verify.ts';
import { type Fixture, heartbeat, intent, openFixture } from './fixture.ts';

const tool = { name: 'tourniquet', version: '0.1.0', configSha256: '0'.repeat(64) };
const leaf = (i: number) => hash('sha256', String(i), 'hex');
const leaves = Array.from({ length: 70_000 }, (_, i) => leaf(i));
const whole = new MerkleTree(leaves);

/** Tiles cut from the tree above, however high. */
const read = async (level: number, index: number) => {
  const unit = 256 ** level;
  const count = Math.min(TILE_WIDTH, Math.floor(leaves.length / unit) - index * TILE_WIDTH);
  return Array.from({ length: count }, (_, i) => {
    const at = (index * TILE_WIDTH + i) * unit;
    return whole.perfect(at, at + unit);
  });
};

async function logOf(count: number): Promise<Fixture> {
  const fixture = await openFixture();
  await fixture.ledger.commit(async (_tx, append) => {
    for (let i = 0; i < count; i += 1) append(i === 300 ? intent : heartbeat);
  });
  return fixture;
}

describe('the address of a tile', () => {
  it.each([
    [{ level: 0, index: 0, width: 256 }, '0/000'],
    [{ level: 1, index: 5, width: 17 }, '1/005.p/17'],
    [{ level: 0, index: 1_234_067, width: 256 }, '0/x001/x234/067'],
    [{ level: 'entries', index: 1_000, width: 1 }, 'entries/x001/000.p/1'],
  ] as const)('%o is written %s, and read so', (name, path) => {
    expect(tilePath(name)).toBe(path);
    expect(parseTilePath(path)).toEqual(name);
  });

  it.each([
    '',
    '0',
    '0/0',
    '0/x000/001',
    '00/000',
    '64/000',
    '0/000.p/0',
    '0/000.p/256',
    '0/000.p/08',
    '0/x001',
    '../0/000',
    '-1/000',
  ])('is never %s', (path) => expect(parseTilePath(path)).toBeUndefined());
});

describe('a tree in tiles', () => {
  it.each([1, 2, 255, 256, 257, 512, 65_535, 65_536, 65_537, 70_000])(
    'of %i leaves proves what the whole tree proves',
    async (size) => {
      const tree = new TiledTree(size, read);
      const root = whole.root(size);
      expect(await tree.root()).toBe(root);
      for (const index of [0, 1, 200, 255, 256, 40_000, 65_536, size - 1].filter((at) => at < size)) {
        const proof = await tree.inclusionProof(index);
        expect(verifyInclusion(leaf(index), index, size, proof, root)).toBe(true);
        const older = index + 1;
        expect(
          verifyConsistency(
            { size: older, root: whole.root(older) },
            { size, root },
            await tree.consistencyProof(older),
          ),
        ).toBe(true);
      }
    },
  );

  it('reads one tile for every eight levels of a proof, however long the log', async () => {
    const asked: string[] = [];
    const tree = new TiledTree(70_000, (level, index) => {
      asked.push(`${level}/${index}`);
      return read(level, index);
    });
    await tree.inclusionProof(12_345);
    expect(asked.toSorted()).toEqual(['0/273', '0/48', '1/0', '1/1']);
  });

  it('is refused when a tile is narrower than the tree', async () => {
    await expect(new TiledTree(300, async () => [leaf(1)]).root()).rejects.toThrow('holds 1 hashes');
  });
});

describe('the tree in the database', () => {
  it('is grown once and not again, and proves what the ledger signed', async () => {
    const { store, ledger } = await logOf(600);
    await Promise.all([growTree(store, 600), growTree(store, 600)]);
    const nodes = await store.db.selectFrom('tree_node').selectAll().execute();
    expect(nodes.map(({ level, idx }) => [level, idx])).toEqual([
      [1, 0],
      [1, 1],
    ]);
    const tree = new TiledTree(600, tilesIn(store.db));
    expect(await tree.root()).toBe((await ledger.head()).root);
    await dropTree(store);
    await expect(new TiledTree(600, tilesIn(store.db)).root()).rejects.toThrow('holds 0 hashes');
  });

  it('is a cache that is not believed: spoiled, it is made anew for the export', async () => {
    const { store, signer, clock } = await logOf(600);
    await growTree(store, 600);
    await store.db
      .updateTable('tree_node')
      .set({ hash: leaf(0) })
      .where('idx', '=', 1)
      .execute();
    const bundle = await exportBundle({ store, signer, tool, now: clock.now(), incident: 'inc-1', since: 299 });
    const report = verifyBundle(bundle, parsePolicy(formatPolicy(signer.vkey)), { now: clock.now() });
    expect(report).toMatchObject({ ok: true, entries: 2 });
    const nodes = await store.db.selectFrom('tree_node').select('hash').execute();
    expect(nodes.map(({ hash: each }) => each)).not.toContain(leaf(0));
  });

  it('never proves a leaf that was changed behind the ledger’s back', async () => {
    const { store, signer, clock } = await logOf(600);
    await store.db
      .updateTable('ledger')
      .set({ leaf: leaf(0) })
      .where('seq', '=', 301)
      .execute();
    await expect(exportBundle({ store, signer, tool, now: clock.now(), incident: 'inc-1' })).rejects.toThrow(
      'do not have the root hash',
    );
  });
});

describe('the log over HTTP', () => {
  const routesOf = ({ store, signer }: Fixture, publicEntries = false) =>
    logRoutes({ db: store.db, vkey: signer.vkey, publicEntries });

  it('lets a monitor rebuild the signed root from hashes alone', async () => {
    const fixture = await logOf(600);
    await growTree(fixture.store, 600);
    const routes = routesOf(fixture);
    const checkpoint = await (await routes.request('/log/checkpoint')).text();
    const [origin, size, root] = checkpoint.split('\n');
    expect([origin, size]).toEqual([fixture.ledger.origin, '600']);
    const tree = new TiledTree(600, async (level, index) => {
      const width = widthOf(level, index, 600);
      const response = await routes.request(`/log/tile/${tilePath({ level, index, width })}`);
      expect(response.headers.get('cache-control')).toContain('immutable');
      return (
        Buffer.from(await response.arrayBuffer())
          .toString('hex')
          .match(/.{64}/g) ?? []
      );
    });
    expect(Buffer.from(await tree.root(), 'hex').toString('base64')).toBe(root);
  });

  it('serves no tile beyond the checkpoint, and no entry unless told that they are public', async () => {
    const fixture = await logOf(300);
    const status = async (path: string, open = false) => (await routesOf(fixture, open).request(path)).status;
    expect(await status('/log/tile/0/001.p/44')).toBe(200);
    expect(await status('/log/tile/0/001.p/45')).toBe(404);
    expect(await status('/log/tile/0/001')).toBe(404);
    expect(await status('/log/tile/0/x')).toBe(404);
    expect(await status('/log/tile/entries/000')).toBe(403);
    expect(await status('/log/tile/entries/000', true)).toBe(200);
    expect((await routesOf(fixture).request('/log/checkpoint', { method: 'POST' })).status).toBe(404);
    expect((await routesOf(await openFixture()).request('/log/checkpoint')).status).toBe(404);
  });

  it('serves public entries as the bytes whose hashes are the leaves', async () => {
    const fixture = await logOf(300);
    const bundle = Buffer.from(
      await (await routesOf(fixture, true).request('/log/tile/entries/001.p/44')).arrayBuffer(),
    );
    const hashes: string[] = [];
    for (let at = 0; at < bundle.length; ) {
      const length = bundle.readUInt16BE(at);
      hashes.push(leafHash(bundle.subarray(at + 2, at + 2 + length)));
      at += 2 + length;
    }
    expect(hashes).toEqual((await tilesIn(fixture.store.db)(0, 1)).slice(0, 44));
  });
});
