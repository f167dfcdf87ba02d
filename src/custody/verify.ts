import { hash } from 'node:crypto';
import { spoken } from '../core/duration.ts';
import type { Entry, Mode } from '../core/entry.ts';
import { checkpointFile, consistencyFile, ENTRIES, FORM, GUIDE, inclusionFile, LEAVES } from './bundle.ts';
import { decode } from './canonical.ts';
import { openCheckpoint, type SignedCheckpoint } from './checkpoint.ts';
import { parseEntry } from './envelope.ts';
import { checkEnvelope, ENVELOPE, MANIFEST, type Manifest, readManifest, type Scope } from './manifest.ts';
import { type Hash, isHash, leafHash, MerkleTree, verifyConsistency, verifyInclusion } from './merkle.ts';
import type { VerifierKey } from './note.ts';
import { type Policy, witnessesOf } from './policy.ts';
import { parseConsistency, parseInclusion } from './proof.ts';
import { type Check, Examination, need, type Passed, Suspicion } from './report.ts';
import { RULES } from './rules.ts';
import { readTar } from './tar.ts';

/** How far beyond the log's owner the trust reaches; NONE for a bundle that does not verify. */
export type Level = 'NONE' | 'SELF-SIGNED' | 'ANCHORED' | 'WITNESSED';

export interface Report {
  readonly ok: boolean;
  readonly level: Level;
  /** What the bundle says it is; believe it only when `ok`. */
  readonly claims?: { readonly origin: string; readonly size: number; readonly mode: Mode; readonly scope: Scope };
  readonly entries: number;
  readonly checks: readonly Check[];
}

export interface VerifyOptions {
  /** A checkpoint of this log that the verifier kept from before: the log must contain it. */
  readonly seen?: Uint8Array;
  /** How old the newest entry may be at `now`. */
  readonly maxAgeMs?: number;
  readonly now: Date;
}

type Files = ReadonlyMap<string, Buffer>;
interface Line {
  readonly entry: Entry;
  readonly leaf: Hash;
}

/**
 * Checks a bundle offline, trusting nothing in it: keys come from `policy` alone. Never throws for anything a bundle may hold;
 * whatever is wrong is a failed check that says where.
 */
export function verifyBundle(bundle: Uint8Array, policy: Policy, options: VerifyOptions): Report {
  const exam = new Examination();
  const files = exam.check('archive', 'the file', () => openArchive(Buffer.from(bundle)));
  const manifest = exam.check('manifest', MANIFEST, () => {
    const value = readManifest(fileOf(need(files, MANIFEST), MANIFEST));
    return { value, detail: `${value.digests.size} files of the log ${value.log.origin}` };
  });
  const key = exam.check('trusted log', MANIFEST, () => trustedKey(need(manifest, MANIFEST), policy));
  exam.check('signature of the bundle', ENVELOPE, () => {
    const { name, hash } = need(key, ENVELOPE);
    const opened = need(files, ENVELOPE);
    checkEnvelope(fileOf(opened, ENVELOPE), fileOf(opened, MANIFEST), need(key, ENVELOPE));
    return { value: true, detail: `by ${name}+${hash}` };
  });
  exam.check('every file as signed', 'the file', () => sameDigests(need(files, 'the file'), need(manifest, MANIFEST)));
  const checkpoint = exam.check('checkpoint', 'checkpoints/', () =>
    openNote(need(files, 'checkpoints/'), need(manifest, MANIFEST), need(key, MANIFEST)),
  );
  const quorum = policy.quorum;
  if (quorum) {
    exam.check('witnesses', 'checkpoints/', () => {
      const names = witnessesOf(need(checkpoint, 'checkpoints/').note, quorum);
      if (!names)
        throw new Suspicion('checkpoints/', `Too few of the policy's witnesses cosigned it for ${quorum.name}`);
      return { value: names, detail: `cosigned by ${names.join(', ')}` };
    });
  }
  const lines = exam.check('entries', ENTRIES, () =>
    readLines(fileOf(need(files, ENTRIES), ENTRIES), need(manifest, MANIFEST)),
  );
  exam.check('order', ENTRIES, () => inOrder(need(lines, ENTRIES), need(manifest, MANIFEST)));
  exam.check('in the signed log', 'proofs/', () =>
    inTheLog(need(files, 'proofs/'), need(manifest, MANIFEST), need(checkpoint, 'checkpoints/'), need(lines, ENTRIES)),
  );
  exam.check('nothing else inside', 'the file', () =>
    nothingElse(need(files, 'the file'), need(manifest, MANIFEST), need(lines, ENTRIES)),
  );
  for (const { name, hold } of RULES) {
    exam.check(name, ENTRIES, () => ({ value: true, detail: hold(need(lines, ENTRIES).map(({ entry }) => entry)) }));
  }
  const { seen, maxAgeMs, now } = options;
  if (seen) {
    exam.check('grown since the checkpoint you hold', '--seen', () =>
      grownSince(openCheckpoint(seen, need(key, MANIFEST)), need(checkpoint, 'checkpoints/'), need(files, 'proofs/')),
    );
  }
  if (maxAgeMs !== undefined) {
    exam.check('recent', ENTRIES, () => recent(need(lines, ENTRIES), maxAgeMs, now));
  }
  return {
    ok: exam.ok,
    level: exam.ok ? (quorum ? 'WITNESSED' : 'SELF-SIGNED') : 'NONE',
    ...(manifest && {
      claims: { origin: manifest.log.origin, size: manifest.log.size, mode: manifest.mode, scope: manifest.scope },
    }),
    entries: lines?.length ?? 0,
    checks: exam.checks,
  };
}

function openArchive(bundle: Buffer): Passed<Files> {
  const files = readTar(bundle);
  return {
    value: new Map(files.map(({ name, bytes }) => [name, bytes])),
    detail: `${files.length} files, no byte out of place`,
  };
}

function fileOf(files: Files, name: string): Buffer {
  const bytes = files.get(name);
  if (!bytes) throw new Suspicion(name, 'It is missing from the bundle');
  return bytes;
}

function trustedKey({ log, mode }: Manifest, policy: Policy): Passed<VerifierKey> {
  const key = policy.logs.find(({ name }) => name === log.origin);
  if (key) return { value: key, detail: `the policy names ${log.origin}` };
  const kind = mode === 'live' ? '' : ` It says itself that it is a ${mode}, not a real incident.`;
  throw new Suspicion(
    MANIFEST,
    `The bundle is of the log ${log.origin}, which the policy does not name (it names ${policy.logs.map(({ name }) => name).join(', ')}).${kind}`,
  );
}

function sameDigests(files: Files, { digests }: Manifest): Passed<true> {
  const covered = new Set([...digests.keys(), MANIFEST, ENVELOPE]);
  for (const name of files.keys()) {
    if (!covered.has(name)) throw new Suspicion(name, 'It is in the bundle but not in its manifest');
  }
  for (const [name, digest] of digests) {
    if (hash('sha256', fileOf(files, name), 'hex') !== digest)
      throw new Suspicion(name, 'It is not the file that was signed');
  }
  return { value: true, detail: `${digests.size} files have the SHA-256 that was signed` };
}

function openNote(files: Files, { log }: Manifest, key: VerifierKey): Passed<SignedCheckpoint> {
  const name = checkpointFile(log.size);
  const value = locate(name, () => openCheckpoint(fileOf(files, name), key));
  if (value.size !== log.size || value.root !== log.root) {
    throw new Suspicion(name, 'It does not speak of the size and root that the manifest gives');
  }
  return { value, detail: `${value.size} entries, root ${value.root}, signed by the log` };
}

function readLines(bytes: Buffer, { log, mode }: Manifest): Passed<readonly Line[]> {
  const lines: Line[] = [];
  for (let from = 0, to = 0; from < bytes.length; from = to + 1) {
    to = bytes.indexOf(0x0a, from);
    const where = `${ENTRIES}, line ${lines.length + 1} (byte ${from})`;
    if (to < 0) throw new Suspicion(where, 'The last line does not end: the file was cut short');
    const line = bytes.subarray(from, to);
    const entry = locate(where, () => parseEntry(decode(line)));
    if (entry.ledger !== log.origin) throw new Suspicion(where, `It is an entry of another log, ${entry.ledger}`);
    if (entry.mode !== mode)
      throw new Suspicion(where, `It was written in ${entry.mode} mode, the bundle says ${mode}`);
    lines.push({ entry, leaf: leafHash(line) });
  }
  if (lines.length === 0) throw new Suspicion(ENTRIES, 'It is empty');
  return { value: lines, detail: `${lines.length} entries, canonical and well-formed, all in ${mode} mode` };
}

function inOrder(lines: readonly Line[], { log, scope }: Manifest): Passed<true> {
  let previous = -1;
  for (const [i, { entry }] of lines.entries()) {
    const where = `${ENTRIES}, line ${i + 1}, entry ${entry.seq}`;
    switch (scope.kind) {
      case 'ledger':
        if (entry.seq !== i)
          throw new Suspicion(where, `Entry ${i} should stand here: something was removed, added or moved`);
        break;
      case 'incident':
        if (entry.seq <= previous) throw new Suspicion(where, `It comes after entry ${previous}: repeated or moved`);
        if (entry.incident !== scope.incident && !isBareHeartbeat(entry)) {
          throw new Suspicion(where, `It is not about the incident ${scope.incident}`);
        }
        break;
    }
    previous = entry.seq;
  }
  if (scope.kind === 'ledger' && lines.length !== log.size) {
    throw new Suspicion(
      `${ENTRIES}, after line ${lines.length}`,
      `The log has ${log.size} entries but ${lines.length} are here`,
    );
  }
  if (previous >= log.size)
    throw new Suspicion(`${ENTRIES}, entry ${previous}`, `The log has only ${log.size} entries`);
  const detail =
    scope.kind === 'ledger' ? 'every sequence number once, without a gap' : 'rising sequence numbers of one incident';
  return { value: true, detail };
}

const isBareHeartbeat = (entry: Entry): boolean => entry.type === 'heartbeat' && entry.incident === undefined;

function inTheLog(
  files: Files,
  manifest: Manifest,
  checkpoint: SignedCheckpoint,
  lines: readonly Line[],
): Passed<true> {
  switch (manifest.scope.kind) {
    case 'ledger': {
      const leaves = leavesOf(files);
      if (leaves.length !== checkpoint.size)
        throw new Suspicion(LEAVES, `It names ${leaves.length} entries, not ${checkpoint.size}`);
      for (const [i, { leaf }] of lines.entries()) {
        if (leaf !== leaves[i])
          throw new Suspicion(`${ENTRIES}, line ${i + 1}, entry ${i}`, 'It is not the entry that the log holds');
      }
      if (new MerkleTree(lines.map(({ leaf }) => leaf)).root() !== checkpoint.root) {
        throw new Suspicion(ENTRIES, 'The entries do not have the root hash that the log signed');
      }
      return { value: true, detail: `the root over all ${lines.length} entries is the signed one` };
    }
    case 'incident': {
      const note = fileOf(files, checkpointFile(checkpoint.size)).toString();
      for (const { entry, leaf } of lines) {
        const name = inclusionFile(entry.seq);
        const file = locate(name, () => parseInclusion(fileOf(files, name)));
        if (file.index !== entry.seq || file.checkpoint !== note) {
          throw new Suspicion(name, 'It is the proof of another entry or leads to another checkpoint');
        }
        if (!verifyInclusion(leaf, entry.seq, checkpoint.size, file.proof, checkpoint.root)) {
          throw new Suspicion(
            `${ENTRIES}, entry ${entry.seq}`,
            `It is not in the signed log, or its proof ${name} was changed`,
          );
        }
      }
      return { value: true, detail: `${lines.length} inclusion proofs lead to the signed root` };
    }
  }
}

function leavesOf(files: Files): readonly Hash[] {
  const text = fileOf(files, LEAVES).toString('latin1');
  const leaves = text.split('\n').slice(0, -1);
  const wrong = leaves.findIndex((leaf) => !isHash(leaf));
  if (wrong >= 0 || !text.endsWith('\n')) {
    throw new Suspicion(`${LEAVES}, line ${wrong >= 0 ? wrong + 1 : leaves.length + 1}`, 'It is not a hash');
  }
  return leaves;
}

function nothingElse(files: Files, { log, scope }: Manifest, lines: readonly Line[]): Passed<true> {
  const expected = new Set([MANIFEST, ENVELOPE, ENTRIES, FORM, GUIDE, checkpointFile(log.size)]);
  if (scope.kind === 'ledger') expected.add(LEAVES);
  else for (const { entry } of lines) expected.add(inclusionFile(entry.seq));
  for (const name of files.keys()) {
    if (expected.delete(name)) continue;
    const bytes = fileOf(files, name);
    const size = /^proofs\/([1-9][0-9]*)\.consistency$/.test(name)
      ? locate(name, () => parseConsistency(bytes)).index
      : undefined;
    if (size === undefined || name !== consistencyFile(size))
      throw new Suspicion(name, 'A custody bundle has no such file');
  }
  const [missing] = expected;
  if (missing !== undefined) throw new Suspicion(missing, 'It is missing from the bundle');
  return { value: true, detail: 'only the files that a bundle has' };
}

function grownSince(seen: SignedCheckpoint, now: SignedCheckpoint, files: Files): Passed<true> {
  const where = checkpointFile(now.size);
  if (now.size < seen.size) {
    throw new Suspicion(
      where,
      `The log had ${seen.size} entries and now has ${now.size}: ${seen.size - now.size} were cut off`,
    );
  }
  const forked = new Suspicion(
    where,
    'The log is not a continuation of the checkpoint you hold: its history was rewritten',
  );
  if (files.has(LEAVES)) {
    const leaves = leavesOf(files);
    if (leaves.length !== now.size || new MerkleTree(leaves).root(seen.size) !== seen.root) throw forked;
  } else if (now.size === seen.size) {
    if (now.root !== seen.root) throw forked;
  } else {
    const name = consistencyFile(seen.size);
    if (!files.has(name)) {
      throw new Suspicion(
        name,
        `Ask for an export with the proof since ${seen.size} entries: this bundle does not hold it`,
      );
    }
    const { index, proof } = locate(name, () => parseConsistency(fileOf(files, name)));
    if (index !== seen.size || !verifyConsistency(seen, now, proof)) throw forked;
  }
  return {
    value: true,
    detail: `all ${seen.size} entries of your checkpoint are still there, ${now.size - seen.size} came after`,
  };
}

function recent(lines: readonly Line[], maxAgeMs: number, now: Date): Passed<true> {
  const newest = lines.at(-1)?.entry;
  const age = now.getTime() - Date.parse(newest?.time.utc ?? '');
  if (!(age <= maxAgeMs)) {
    throw new Suspicion(
      `${ENTRIES}, entry ${newest?.seq}`,
      `The newest entry is ${spoken(age)} old, more than ${spoken(maxAgeMs)}: the log may have been cut back to an older state`,
    );
  }
  return { value: true, detail: `the newest entry is ${spoken(Math.max(0, age))} old` };
}

/** Gives an error from a parser its place. */
function locate<T>(where: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof Suspicion || !(error instanceof Error)) throw error;
    throw new Suspicion(where, error.message, error);
  }
}
