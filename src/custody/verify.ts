import type { Mode } from '../core/entry.ts';
import { openCheckpoint, readCheckpoint, type SignedCheckpoint } from './checkpoint.ts';
import {
  fileOf,
  inOrder,
  inTheLog,
  nothingElse,
  openArchive,
  openNote,
  readLines,
  sameDigests,
  stamped,
  trustedKeys,
} from './inspect.ts';
import { ENTRIES, ENVELOPE, MANIFEST } from './layout.ts';
import { checkEnvelope, readManifest, type Scope } from './manifest.ts';
import { type Policy, witnessesOf } from './policy.ts';
import { type Check, Examination, need, Suspicion } from './report.ts';
import type { Keys } from './rotations.ts';
import { RULES } from './rules.ts';
import { grownSince, recent } from './truncation.ts';

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
  /** Skips what comes after the first failed check, for who wants the verdict alone. */
  readonly untilFirstFailure?: boolean;
}

/**
 * Checks a bundle offline, trusting nothing in it: keys come from `policy` alone. Never throws for anything a bundle may hold;
 * whatever is wrong is a failed check that says where.
 */
export function verifyBundle(bundle: Uint8Array, policy: Policy, options: VerifyOptions): Report {
  const exam = new Examination(options.untilFirstFailure);
  const files = exam.check('archive', 'the file', () => openArchive(Buffer.from(bundle)));
  const manifest = exam.check('manifest', MANIFEST, () => {
    const value = readManifest(fileOf(need(files, MANIFEST), MANIFEST));
    return { value, detail: `${value.digests.size} files of the log ${value.log.origin}` };
  });
  const keys = exam.check('trusted log', MANIFEST, () =>
    trustedKeys(need(manifest, MANIFEST), policy, need(files, MANIFEST)),
  );
  const key = keys?.current;
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
  const { authorities } = policy;
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
  if (authorities.length > 0) {
    exam.check('time stamps', 'anchors/', () =>
      stamped(need(files, 'anchors/'), need(checkpoint, 'checkpoints/'), authorities, need(lines, ENTRIES)),
    );
  }
  for (const { name, hold } of RULES) {
    exam.check(name, ENTRIES, () => ({ value: true, detail: hold(need(lines, ENTRIES).map(({ entry }) => entry)) }));
  }
  const { seen, maxAgeMs, now } = options;
  if (seen) {
    exam.check('grown since the checkpoint you hold', '--seen', () =>
      grownSince(openKept(seen, need(keys, MANIFEST)), need(checkpoint, 'checkpoints/'), need(files, 'proofs/')),
    );
  }
  if (maxAgeMs !== undefined) {
    exam.check('recent', ENTRIES, () => recent(need(lines, ENTRIES), maxAgeMs, now));
  }
  return {
    ok: exam.ok,
    level: exam.ok ? levelOf(policy) : 'NONE',
    ...(manifest && {
      claims: { origin: manifest.log.origin, size: manifest.log.size, mode: manifest.mode, scope: manifest.scope },
    }),
    entries: lines?.length ?? 0,
    checks: exam.checks,
  };
}

/** What the policy demands is what a bundle reached that passed every check. */
function levelOf({ quorum, authorities }: Policy): Level {
  if (quorum) return 'WITNESSED';
  return authorities.length > 0 ? 'ANCHORED' : 'SELF-SIGNED';
}

/** A checkpoint kept from before may be signed with any key that the log has had since the trusted one. */
function openKept(seen: Uint8Array, { all, current }: Keys): SignedCheckpoint {
  const { note } = readCheckpoint(seen);
  const signer = all.find((key) => note.signatures.some(({ hash }) => hash === key.hash)) ?? current;
  return openCheckpoint(seen, signer);
}
