import { spoken } from '../core/duration.ts';
import type { SignedCheckpoint } from './checkpoint.ts';
import { type Files, fileOf, type Line, leavesOf, locate } from './inspect.ts';
import { checkpointFile, consistencyFile, ENTRIES, LEAVES } from './layout.ts';
import { MerkleTree, verifyConsistency } from './merkle.ts';
import { parseConsistency } from './proof.ts';
import { type Passed, Suspicion } from './report.ts';

/** A log cut back to an older, validly signed state looks whole from inside: these checks bring knowledge from outside. */

/** The log still holds all that a checkpoint kept from before names. */
export function grownSince(seen: SignedCheckpoint, now: SignedCheckpoint, files: Files): Passed<true> {
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

/** An auditor's clock and the log's may differ by this much. */
export const SKEW_MS = 5 * 60_000;

/** The newest entry is not older than `maxAgeMs`, nor from the future: a date to come would look recent for ever. */
export function recent(lines: readonly Line[], maxAgeMs: number, now: Date): Passed<true> {
  const newest = lines.at(-1)?.entry;
  const age = now.getTime() - Date.parse(newest?.time.utc ?? '');
  if (age < -SKEW_MS) {
    throw new Suspicion(`${ENTRIES}, entry ${newest?.seq}`, `The newest entry is dated ${spoken(-age)} in the future`);
  }
  if (!(age <= maxAgeMs)) {
    throw new Suspicion(
      `${ENTRIES}, entry ${newest?.seq}`,
      `The newest entry is ${spoken(age)} old, more than ${spoken(maxAgeMs)}: the log may have been cut back to an older state`,
    );
  }
  return { value: true, detail: `the newest entry is ${spoken(Math.max(0, age))} old` };
}
