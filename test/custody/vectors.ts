/**
 * Official test vectors, read from ../shared/vectors beside the repository. Prints how many passed per file; exits 1 when one
 * fails or when the folder is not there: a check that is silently skipped would be no check.
 */
import { readFileSync } from 'node:fs';
import { canonicalJson } from '../../src/custody/canonical.ts';
import { openCheckpoint } from '../../src/custody/checkpoint.ts';
import { type Hash, leafHash, MerkleTree, verifyConsistency, verifyInclusion } from '../../src/custody/merkle.ts';
import { parseVkey } from '../../src/custody/note.ts';
import { parseTilePath, TiledTree, tilePath } from '../../src/custody/tiles.ts';

const folder = new URL('../../../shared/vectors/', import.meta.url);
const load = <T>(file: string): T => JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
const hex = (base64: string): Hash => Buffer.from(base64, 'base64').toString('hex');
const all = (proof: readonly string[] | null): readonly Hash[] => (proof ?? []).map(hex);

let passed = 0;
let failed = 0;

function run(file: string, probes: readonly { readonly name: string; readonly holds: () => boolean }[]): void {
  const wrong = probes.filter(({ name, holds }) => {
    try {
      return !holds();
    } catch (error) {
      process.stdout.write(`  ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
      return true;
    }
  });
  for (const { name } of wrong) process.stdout.write(`  FAILED ${name}\n`);
  if (probes.length === 0) throw new Error(`${file} holds no vectors`);
  process.stdout.write(`${file}: ${probes.length - wrong.length} of ${probes.length}\n`);
  passed += probes.length - wrong.length;
  failed += wrong.length;
}

interface Inclusion {
  readonly file: string;
  readonly case: {
    readonly leafIdx: number;
    readonly treeSize: number;
    readonly root: string;
    readonly leafHash: string;
    readonly proof: readonly string[] | null;
    readonly wantErr: boolean;
  };
}
run(
  'rfc6962-inclusion.json',
  load<readonly Inclusion[]>('rfc6962-inclusion.json').map(({ file, case: probe }) => ({
    name: file,
    holds: () =>
      verifyInclusion(hex(probe.leafHash), probe.leafIdx, probe.treeSize, all(probe.proof), hex(probe.root)) !==
      probe.wantErr,
  })),
);

interface Consistency {
  readonly file: string;
  readonly case: {
    readonly size1: number;
    readonly size2: number;
    readonly root1: string;
    readonly root2: string;
    readonly proof: readonly string[] | null;
    readonly wantErr: boolean;
  };
}
run(
  'rfc6962-consistency.json',
  load<readonly Consistency[]>('rfc6962-consistency.json').map(({ file, case: probe }) => ({
    name: file,
    holds: () =>
      verifyConsistency(
        { size: probe.size1, root: hex(probe.root1) },
        { size: probe.size2, root: hex(probe.root2) },
        all(probe.proof),
      ) !== probe.wantErr,
  })),
);

interface Canonical {
  readonly name: string;
  readonly inputBase64: string;
  readonly outputBase64: string;
}
run(
  'rfc8785.json',
  load<readonly Canonical[]>('rfc8785.json').map(({ name, inputBase64, outputBase64 }) => ({
    name,
    holds: () =>
      Buffer.from(canonicalJson(JSON.parse(Buffer.from(inputBase64, 'base64').toString('utf8')))).toString('base64') ===
      outputBase64,
  })),
);

interface Tlog {
  readonly vkey: string;
  readonly checkpoints: Readonly<Record<string, string>>;
  readonly tiles: Readonly<Record<string, string>>;
  readonly entries: Readonly<Record<string, string>>;
}
const tlog = load<Tlog>('c2sp-tlog.json');
const goKey = parseVkey(tlog.vkey);
/** C2SP tlog-tiles entry bundle: entries with a 16-bit length before each. */
function unbundle(base64: string | undefined): readonly Buffer[] {
  const bytes = Buffer.from(base64 ?? '', 'base64');
  const entries: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt16BE(at);
    entries.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return entries;
}
const rootAt = (size: number): Hash | undefined => {
  const note = tlog.checkpoints[`checkpoint.${size}`];
  return note === undefined ? undefined : openCheckpoint(Buffer.from(note, 'base64'), goKey).root;
};
run('c2sp-tlog.json', [
  ...Object.entries(tlog.checkpoints).map(([name, note]) => ({
    name,
    holds: () => {
      const { size, root } = openCheckpoint(Buffer.from(note, 'base64'), goKey);
      const entries = size === 0 ? [] : unbundle(tlog.entries[`tile/entries/000.p/${size}`]);
      return new MerkleTree(entries.map(leafHash)).root() === root;
    },
  })),
  ...Object.keys({ ...tlog.tiles, ...tlog.entries }).map((name) => ({
    name: `address of ${name}`,
    holds: () => {
      const tile = parseTilePath(name.replace(/^tile\//, ''));
      return tile !== undefined && `tile/${tilePath(tile)}` === name;
    },
  })),
  ...(await Promise.all(
    Object.entries(tlog.tiles).map(async ([name, tile]) => {
      const hashes = hex(tile).match(/.{64}/g) ?? [];
      const root = await new TiledTree(hashes.length, async () => hashes).root();
      return { name: `root over ${name}`, holds: () => root === rootAt(hashes.length) };
    }),
  )),
  ...Object.entries(tlog.tiles).map(([name, tile]) => ({
    name,
    holds: () => unbundle(tlog.entries[name.replace('tile/0/', 'tile/entries/')]).map(leafHash).join('') === hex(tile),
  })),
]);

process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
