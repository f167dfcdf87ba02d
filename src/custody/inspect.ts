import { hash } from 'node:crypto';
import type { Entry } from '../core/entry.ts';
import { decode, NotCanonical } from './canonical.ts';
import { openCheckpoint, type SignedCheckpoint } from './checkpoint.ts';
import { BadEntry, parseEntry } from './envelope.ts';
import {
  checkpointFile,
  consistencyFile,
  ENTRIES,
  ENVELOPE,
  FORM,
  GUIDE,
  inclusionFile,
  LEAVES,
  MANIFEST,
  timestampFile,
} from './layout.ts';
import type { Manifest } from './manifest.ts';
import { type Hash, isHash, leafHash, MerkleTree, verifyInclusion } from './merkle.ts';
import type { VerifierKey } from './note.ts';
import type { Authority, Policy } from './policy.ts';
import { parseConsistency, parseInclusion } from './proof.ts';
import { type Passed, Suspicion } from './report.ts';
import { type Keys, keysAfter, type Rotation } from './rotations.ts';
import { readTar } from './tar.ts';
import { readTimestamp } from './timestamp.ts';
import { SKEW_MS } from './truncation.ts';

/** What is looked at inside a bundle, one function per check. Each says what held, or throws with the place where it did not. */

/** Contents by name. */
export type Files = ReadonlyMap<string, Buffer>;
/** An entry with the hash of its line. */
export interface Line {
  readonly entry: Entry;
  readonly leaf: Hash;
}

/** The archive, byte for byte as `packTar` writes it. */
export function openArchive(bundle: Buffer): Passed<Files> {
  const files = readTar(bundle);
  return {
    value: new Map(files.map(({ name, bytes }) => [name, bytes])),
    detail: `${files.length} files, no byte out of place`,
  };
}

/** A file of the bundle. Throws Suspicion when it is missing. */
export function fileOf(files: Files, name: string): Buffer {
  const bytes = files.get(name);
  if (!bytes) throw new Suspicion(name, 'It is missing from the bundle');
  return bytes;
}

/** The key that the policy, not the bundle, gives for the log, and those that followed it, each signed by the one before. */
export function trustedKeys({ log, mode }: Manifest, policy: Policy, files: Files): Passed<Keys> {
  const key = policy.logs.find(({ name }) => name === log.origin);
  if (key) {
    const rotations = rotationsIn(fileOf(files, ENTRIES));
    const value = locate(ENTRIES, () => keysAfter(key, rotations));
    const changes = value.all.length - 1;
    const followed =
      changes === 0
        ? ''
        : `, and its key changed ${changes === 1 ? 'once' : `${changes} times`} since, to ${value.current.hash}`;
    return { value, detail: `the policy names ${log.origin}+${key.hash}${followed}` };
  }
  const kind = mode === 'live' ? '' : ` It says itself that it is a ${mode}, not a real incident.`;
  throw new Suspicion(
    MANIFEST,
    `The bundle is of the log ${log.origin}, which the policy does not name (it names ${policy.logs.map(({ name }) => name).join(', ')}).${kind}`,
  );
}

/** The entries by which the log's key changed. What cannot be read is left out here: the check of the entries tells of it. */
function rotationsIn(bytes: Buffer): readonly Rotation[] {
  const rotations: Rotation[] = [];
  for (let at = bytes.indexOf(ROTATION); at >= 0; at = bytes.indexOf(ROTATION, at + 1)) {
    const end = bytes.indexOf(0x0a, at);
    const from = bytes.lastIndexOf(0x0a, at) + 1;
    try {
      const entry = parseEntry(decode(bytes.subarray(from, end < 0 ? bytes.length : end)));
      if (entry.type === 'key.rotate' && entry.seq !== rotations.at(-1)?.seq) rotations.push(entry);
    } catch (error) {
      if (!(error instanceof NotCanonical) && !(error instanceof BadEntry)) throw error;
    }
  }
  return rotations;
}

const ROTATION = '"type":"key.rotate"';

/** Every file is in the manifest with its hash, and every file of the manifest is there. */
export function sameDigests(files: Files, { digests }: Manifest): Passed<true> {
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

/** The signed checkpoint that everything else is held against. */
export function openNote(files: Files, { log }: Manifest, key: VerifierKey): Passed<SignedCheckpoint> {
  const name = checkpointFile(log.size);
  const value = locate(name, () => openCheckpoint(fileOf(files, name), key));
  if (value.size !== log.size || value.root !== log.root) {
    throw new Suspicion(name, 'It does not speak of the size and root that the manifest gives');
  }
  return { value, detail: `${value.size} entries, root ${value.root}, signed by the log` };
}

/** Every line an entry of this log, in the one form in which it may be written. */
export function readLines(bytes: Buffer, { log, mode }: Manifest): Passed<readonly Line[]> {
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

/** A whole log without a gap; an incident in rising order, with nothing of other incidents. */
export function inOrder(lines: readonly Line[], { log, scope }: Manifest): Passed<true> {
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
        if (entry.incident !== scope.incident && !isOfTheLogItself(entry)) {
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

/** Goes with every incident and betrays no other one. */
const isOfTheLogItself = (entry: Entry): boolean =>
  (entry.type === 'heartbeat' || entry.type === 'key.rotate') && entry.incident === undefined;

/** The entries are the leaves under the signed root: all of them recomputed, or each by its proof. */
export function inTheLog(
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

/** The leaf hashes of a whole log. They prove nothing, but tell which entry was changed. */
export function leavesOf(files: Files): readonly Hash[] {
  const text = fileOf(files, LEAVES).toString('latin1');
  const leaves = text.split('\n').slice(0, -1);
  const wrong = leaves.findIndex((leaf) => !isHash(leaf));
  if (wrong >= 0 || !text.endsWith('\n')) {
    throw new Suspicion(`${LEAVES}, line ${wrong >= 0 ? wrong + 1 : leaves.length + 1}`, 'It is not a hash');
  }
  return leaves;
}

/** No file that a bundle of this scope does not have. */
export function nothingElse(files: Files, { log, scope }: Manifest, lines: readonly Line[]): Passed<true> {
  const expected = new Set([MANIFEST, ENVELOPE, ENTRIES, FORM, GUIDE, checkpointFile(log.size)]);
  if (scope.kind === 'ledger') expected.add(LEAVES);
  else for (const { entry } of lines) expected.add(inclusionFile(entry.seq));
  for (const name of files.keys()) {
    if (expected.delete(name)) continue;
    if (isTimestamp(name, log.size)) continue;
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

/** A time stamp by one of the policy's authorities, if it names any, and no entry is dated after it. */
export function stamped(
  files: Files,
  checkpoint: SignedCheckpoint,
  authorities: readonly Authority[],
  lines: readonly Line[],
): Passed<readonly string[]> {
  const names: string[] = [];
  const details: string[] = [];
  for (const { name, certificate } of authorities) {
    const file = timestampFile(checkpoint.size, name);
    const token = files.get(file);
    if (!token) continue;
    const stamp = locate(file, () => readTimestamp(token, Buffer.from(checkpoint.note.text)));
    if (stamp.certificate !== certificate)
      throw new Suspicion(
        file,
        `It is signed with the certificate ${stamp.certificate}, which is not the policy's for ${name}`,
      );
    const late = lines.find(({ entry }) => Date.parse(entry.time.utc) > stamp.time.getTime() + SKEW_MS);
    if (late)
      throw new Suspicion(
        `${ENTRIES}, entry ${late.entry.seq}`,
        `It is dated ${late.entry.time.utc}, after ${name} had already stamped the log (${stamp.time.toISOString()})`,
      );
    names.push(name);
    details.push(`${name} at ${stamp.time.toISOString()}`);
  }
  if (names.length === 0)
    throw new Suspicion(
      'anchors/',
      `None of the policy's authorities (${authorities.map(({ name }) => name).join(', ')}) stamped it`,
    );
  return { value: names, detail: `stamped by ${details.join(', ')}` };
}

function isTimestamp(name: string, size: number): boolean {
  const [, authority] = /^anchors\/[0-9]+\.([A-Za-z0-9][A-Za-z0-9_-]{0,31})\.tsr$/.exec(name) ?? [];
  return authority !== undefined && name === timestampFile(size, authority);
}

/** Gives an error from a parser its place. */
export function locate<T>(where: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof Suspicion || !(error instanceof Error)) throw error;
    throw new Suspicion(where, error.message, error);
  }
}
