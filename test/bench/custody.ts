/**
 * What the chain of custody costs: us against raw SQLite, in one run, and what an auditor waits for. Prints a table, with `--json`
 * one JSON object. A figure that misses what was promised is marked; no exit status comes of it, as a
 * busy machine proves nothing.
 *
 *   npm run bench -- --only custody [--json]
 */
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { systemClock } from '../../src/core/clock.ts';
import type { EntryDraft } from '../../src/core/entry.ts';
import { exportBundle } from '../../src/custody/bundle.ts';
import { decode } from '../../src/custody/canonical.ts';
import { parseEntry } from '../../src/custody/envelope.ts';
import { openLedger } from '../../src/custody/ledger.ts';
import { type Hash, leafHash, MerkleTree, rootOfEntries, verifyInclusion } from '../../src/custody/merkle.ts';
import { generateSigner } from '../../src/custody/signer.ts';
import { TILE_WIDTH, TiledTree } from '../../src/custody/tiles.ts';
import { growTree } from '../../src/custody/tree-store.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import { approval, done, heartbeat, intent, runOpened } from '../custody/fixture.ts';

interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: 'of raw' | '/s' | 'ms';
  /** At least, or for times at most. */
  readonly target: number;
  readonly ok: boolean;
}

const DRAFTS: readonly EntryDraft[] = [
  intent,
  done,
  heartbeat,
  approval(hash('sha256', 'a plan', 'hex')),
  runOpened('alice'),
];
const draft = (i: number): EntryDraft => DRAFTS[i % DRAFTS.length] ?? heartbeat;
const tool = { name: 'tourniquet', version: '0.1.0', configSha256: '0'.repeat(64) };
const seconds = async (run: () => unknown): Promise<number> => {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1_000;
};

/** Of this process, so that a busy machine counts less: on one core it is what the wall clock shows when nobody else runs. */
function cpuSeconds(run: () => void): number {
  const start = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000_000;
}

function atLeast(name: string, value: number, unit: 'of raw' | '/s', target: number): Figure {
  return { name, value, unit, target, ok: value >= target };
}
const atMost = (name: string, value: number, target: number): Figure => ({
  name,
  value,
  unit: 'ms',
  target,
  ok: value <= target,
});

async function openLog(file: string) {
  const store = await openSqlite(file);
  const signer = generateSigner('example.org/bench', new Uint8Array(32).fill(1));
  const random = () => crypto.randomUUID();
  const ledger = await openLedger({
    store,
    clock: systemClock,
    mode: 'live',
    origin: signer.name,
    tool,
    signer,
    random,
  });
  return { store, signer, ledger };
}

/** One durable row a transaction, and many: what the same database does without us, with rows like ours. */
function openRaw(file: string) {
  const raw = new Sqlite(file);
  raw.pragma('journal_mode = WAL');
  raw.pragma('synchronous = FULL');
  raw.exec('create table log (seq integer primary key, incident text, run text, type text, bytes blob, leaf text)');
  const insert = raw.prepare('insert into log values (?, ?, ?, ?, ?, ?)');
  const bytes = Buffer.alloc(650, 'x');
  let seq = 0;
  const row = (): void => {
    seq += 1;
    insert.run(seq, 'inc-1', 'run-1', 'intent', bytes, 'a'.repeat(64));
  };
  const many = raw.transaction((count: number) => {
    for (let i = 0; i < count; i += 1) row();
  });
  return { one: () => many(1), many, close: () => raw.close() };
}

/** In turns, so that whatever else the machine does meets both alike. */
async function appends(dir: string): Promise<readonly Figure[]> {
  const { store, ledger } = await openLog(join(dir, 'ours'));
  const raw = openRaw(join(dir, 'raw'));
  const spent = { one: 0, rawOne: 0, group: 0, rawGroup: 0 };
  const ONES = 60;
  const GROUPS = 4;
  const ROUNDS = 12;
  for (let round = -1; round < ROUNDS; round += 1) {
    const one = await seconds(async () => {
      for (let i = 0; i < ONES; i += 1) await ledger.commit(async (_tx, append) => append(draft(i)));
    });
    const rawOne = await seconds(() => {
      for (let i = 0; i < ONES; i += 1) raw.one();
    });
    const group = await seconds(async () => {
      for (let g = 0; g < GROUPS; g += 1) {
        await ledger.commit(async (_tx, append) => {
          for (let i = 0; i < 256; i += 1) append(draft(i));
        });
      }
    });
    const rawGroup = await seconds(() => {
      for (let g = 0; g < GROUPS; g += 1) raw.many(256);
    });
    if (round < 0) continue; // to warm up
    spent.one += one;
    spent.rawOne += rawOne;
    spent.group += group;
    spent.rawGroup += rawGroup;
  }
  await store.close();
  raw.close();
  return [
    atLeast('one durable append', spent.rawOne / spent.one, 'of raw', 0.85),
    atLeast('entries in groups of 256', (ROUNDS * GROUPS * 256) / spent.group, '/s', 100_000),
    atLeast('entries in groups of 256, as rows', spent.rawGroup / spent.group, 'of raw', 0.35),
  ];
}

async function verification(dir: string): Promise<readonly Figure[]> {
  const { store, ledger } = await openLog(join(dir, 'verify'));
  for (let i = 0; i < 20; i += 1) {
    await ledger.commit(async (_tx, append) => {
      for (let j = 0; j < 1_000; j += 1) append(draft(j));
    });
  }
  const rows = await store.db.selectFrom('ledger').select('bytes').orderBy('seq').execute();
  const entries = rows.map(({ bytes }) => bytes);
  const { root } = await ledger.head();
  await store.close();
  const strictly = (): void => {
    const leaves = entries.map((bytes) => {
      parseEntry(decode(bytes));
      return leafHash(bytes);
    });
    if (new MerkleTree(leaves).root() !== root) throw new Error('The root is another');
  };
  const byHash = (): void => {
    if (rootOfEntries(entries) !== root) throw new Error('The root is another');
  };
  const best = async (run: () => void): Promise<number> => {
    const times: number[] = [];
    for (let i = 0; i < 6; i += 1) times.push(cpuSeconds(run));
    return entries.length / Math.min(...times);
  };
  return [
    atLeast('entries verified strictly', await best(strictly), '/s', 90_000),
    atLeast('entries verified by hash alone', await best(byHash), '/s', 800_000),
  ];
}

/** Ten million leaves: their whole tiles are made once, as the cache holds them; a proof reads three or four. */
async function proofs(): Promise<readonly Figure[]> {
  const size = 10_000_000;
  const leafAt = (i: number): Hash => hash('sha256', String(i), 'hex');
  const levels: Hash[][] = [];
  for (let below = size; below >= TILE_WIDTH; below = Math.floor(below / TILE_WIDTH)) {
    const under = levels.at(-1);
    levels.push(
      Array.from({ length: Math.floor(below / TILE_WIDTH) }, (_, i) =>
        new MerkleTree(
          Array.from({ length: TILE_WIDTH }, (_, j) => under?.[i * TILE_WIDTH + j] ?? leafAt(i * TILE_WIDTH + j)),
        ).root(),
      ),
    );
  }
  const read = async (level: number, index: number): Promise<readonly Hash[]> =>
    level === 0
      ? Array.from({ length: Math.min(TILE_WIDTH, size - index * TILE_WIDTH) }, (_, i) =>
          leafAt(index * TILE_WIDTH + i),
        )
      : (levels[level - 1] ?? []).slice(index * TILE_WIDTH, (index + 1) * TILE_WIDTH);
  const tree = new TiledTree(size, read);
  const root = await tree.root();
  const times: number[] = [];
  for (let i = 0; i < 200; i += 1) {
    const index = (i * 7_654_321) % size;
    let proof: readonly Hash[] = [];
    times.push(
      await seconds(async () => {
        proof = await tree.inclusionProof(index);
      }),
    );
    if (!verifyInclusion(leafAt(index), index, size, proof, root)) throw new Error(`The proof of ${index} is wrong`);
  }
  return [atMost('inclusion proof in 10,000,000, median of 200', median(times) * 1_000, 1)];
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function exportOfOne(dir: string, size: number): Promise<readonly Figure[]> {
  const { store, signer, ledger } = await openLog(join(dir, 'export'));
  for (let i = 0; i < size / 1_000; i += 1) {
    await ledger.commit(async (_tx, append) => {
      for (let j = 0; j < 1_000; j += 1) append({ ...heartbeat, incident: `inc-${i}` });
    });
  }
  await ledger.commit(async (_tx, append) => {
    for (let i = 0; i < 40; i += 1) append({ ...intent, incident: 'the-one' });
  });
  await growTree(store, size); // the running bot keeps it so
  const times: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    times.push(await seconds(() => exportBundle({ store, signer, tool, now: new Date(), incident: 'the-one' })));
  }
  await store.close();
  return [
    atMost(`export of one incident from ${size.toLocaleString('en')} entries`, Math.min(...times) * 1_000, 1_000),
  ];
}

async function custody(size = 1_000_000): Promise<readonly Figure[]> {
  const dir = mkdtempSync(join(tmpdir(), 'custody-bench-'));
  try {
    return [
      ...(await appends(dir)),
      ...(await verification(dir)),
      ...(await proofs()),
      ...(await exportOfOne(dir, size)),
    ];
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const rounded = ({ value, unit }: Figure): string =>
  unit === '/s' ? Math.round(value).toLocaleString('en') : value.toFixed(unit === 'ms' ? 2 : 3);

const figures = await custody();
if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ custody: figures })}\n`);
else {
  for (const figure of figures) {
    const promised = `${figure.unit === 'ms' ? 'at most' : 'at least'} ${figure.target}`;
    process.stdout.write(`${figure.ok ? '✓' : '✗'} ${figure.name}: ${rounded(figure)} ${figure.unit} (${promised})\n`);
  }
}
