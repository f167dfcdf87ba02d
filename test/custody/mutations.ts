/**
 * Changes a bundle at random, 1,000,000 times, and counts how many of the changed ones the verifier accepts: none may be. Every
 * change is of one of eleven kinds, from a single bit to a part of another bundle; each is drawn from a seed that is printed, so
 * that a run can be repeated. Exits with 1 when one is accepted, or when the unchanged bundles are not.
 *
 *   npm run test:mutations [-- COUNT [SEED]]
 */
import { availableParallelism } from 'node:os';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { exportBundle } from '../../src/custody/bundle.ts';
import { formatPolicy, parsePolicy } from '../../src/custody/policy.ts';
import { packTar, readTar } from '../../src/custody/tar.ts';
import { verifyBundle } from '../../src/custody/verify.ts';
import { append, openFixture, STORY } from './fixture.ts';

const tool = { name: 'tourniquet', version: '0.1.0', configSha256: '0'.repeat(64) };

interface Job {
  readonly bundles: readonly Uint8Array[];
  readonly policy: string;
  readonly now: number;
  readonly count: number;
  readonly seed: number;
}

/** Marsaglia's xorshift: the same numbers on every run. */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0 || 1;
  return (below) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
}

type Change = (bundle: Buffer, any: (below: number) => number, other: Buffer) => Buffer;

/** Changes the bytes of one file of the bundle, and packs it again so that its archive is flawless. */
const inAFile =
  (change: Change): Change =>
  (bundle, any, other) => {
    const files = readTar(bundle);
    const at = any(files.length);
    return packTar(files.map((file, i) => (i === at ? { ...file, bytes: change(file.bytes, any, other) } : file)));
  };
const flip: Change = (bytes, any) => {
  const changed = Buffer.from(bytes);
  const at = any(changed.length || 1);
  changed[at] = (changed[at] ?? 0) ^ (1 << any(8));
  return changed;
};
const overwrite: Change = (bytes, any) => {
  const changed = Buffer.from(bytes);
  const from = any(changed.length || 1);
  for (let i = from; i < Math.min(changed.length, from + 1 + any(64)); i += 1) changed[i] = any(256);
  return changed;
};
const remove: Change = (bytes, any) => {
  const from = any(bytes.length || 1);
  return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + 1 + any(64))]);
};
const insert: Change = (bytes, any) => {
  const at = any(bytes.length + 1);
  return Buffer.concat([
    bytes.subarray(0, at),
    Buffer.from(Array.from({ length: 1 + any(16) }, () => any(256))),
    bytes.subarray(at),
  ]);
};
const repeat: Change = (bytes, any) => {
  const from = any(bytes.length || 1);
  const part = bytes.subarray(from, from + 1 + any(600));
  const at = any(bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
};
const splice: Change = (bytes, any, other) => {
  const at = any(Math.min(bytes.length, other.length) || 1);
  return Buffer.concat([bytes.subarray(0, at), other.subarray(at)]);
};
const swapLines: Change = (bytes, any) => {
  const lines = bytes.toString('latin1').split('\n');
  const [a, b] = [any(lines.length), any(lines.length)];
  return Buffer.from(
    lines
      .with(a, lines[b] ?? '')
      .with(b, lines[a] ?? '')
      .join('\n'),
    'latin1',
  );
};
const exchange: Change = (bundle, any, other) => {
  const theirs = new Map(readTar(other).map(({ name, bytes }) => [name, bytes]));
  const files = readTar(bundle);
  const at = any(files.length);
  return packTar(files.map((file, i) => (i === at ? { ...file, bytes: theirs.get(file.name) ?? file.bytes } : file)));
};

const CHANGES: readonly Change[] = [
  flip,
  overwrite,
  remove,
  insert,
  repeat,
  splice,
  inAFile(flip),
  inAFile(overwrite),
  inAFile(remove),
  inAFile(swapLines),
  exchange,
];

function mutate({ bundles, policy, now, count, seed }: Job): { accepted: number; unchanged: number } {
  const any = numbers(seed);
  const trusted = parsePolicy(policy);
  const originals = bundles.map((bytes) => Buffer.from(bytes));
  const date = new Date(now);
  let accepted = 0;
  let unchanged = 0;
  for (let i = 0; i < count; ) {
    const bundle = originals[any(originals.length)] ?? Buffer.alloc(0);
    const other = originals[any(originals.length)] ?? Buffer.alloc(0);
    const changed = (CHANGES[any(CHANGES.length)] ?? flip)(bundle, any, other);
    if (originals.some((original) => original.equals(changed))) {
      unchanged += 1; // a swap of equal lines changes nothing, and is no mutation
      continue;
    }
    i += 1;
    if (verifyBundle(changed, trusted, { now: date, untilFirstFailure: true }).ok) accepted += 1;
  }
  return { accepted, unchanged };
}

async function main(total: number, seed: number): Promise<number> {
  const { store, signer, clock, ledger } = await openFixture();
  await append({ ledger, clock }, STORY);
  const made = { store, signer, tool, now: clock.now() };
  const bundles = [
    await exportBundle(made),
    await exportBundle({ ...made, incident: 'inc-1' }),
    await exportBundle({ ...made, incident: 'inc-1', since: 4 }),
  ];
  const policy = formatPolicy(signer.vkey);
  const now = clock.now().getTime();
  for (const bundle of bundles) {
    if (!verifyBundle(bundle, parsePolicy(policy), { now: new Date(now) }).ok)
      throw new Error('The unchanged bundle does not verify');
  }
  const workers = Math.max(1, availableParallelism());
  const started = performance.now();
  const results = await Promise.all(
    Array.from({ length: workers }, (_, i) => {
      const count = Math.floor(total / workers) + (i < total % workers ? 1 : 0);
      const job: Job = { bundles, policy, now, count, seed: seed + i * 7919 };
      return new Promise<{ accepted: number; unchanged: number }>((resolve, reject) => {
        const worker = new Worker(new URL(import.meta.url), { workerData: job });
        worker.once('message', resolve);
        worker.once('error', reject);
      });
    }),
  );
  const accepted = results.reduce((sum, each) => sum + each.accepted, 0);
  const seconds = (performance.now() - started) / 1_000;
  process.stdout.write(
    `${total} random mutations of ${bundles.length} bundles (seed ${seed}): ${accepted} accepted, in ${seconds.toFixed(0)} s on ${workers} threads\n`,
  );
  return accepted;
}

if (isMainThread) {
  const [count = '1000000', seed = '20260301'] = process.argv.slice(2);
  process.exitCode = (await main(Number(count), Number(seed))) === 0 ? 0 : 1;
} else {
  parentPort?.postMessage(mutate(workerData as Job));
}
