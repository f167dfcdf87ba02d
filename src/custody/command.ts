import { isDuration, milliseconds } from '../core/duration.ts';
import { BadNote } from './note.ts';
import { type Policy, parsePolicy } from './policy.ts';
import { type Level, type Report, verifyBundle } from './verify.ts';

export interface VerifyArguments {
  /** The .tar file. */
  readonly bundle: Uint8Array;
  /** Text of the policy file. */
  readonly policy: string;
  readonly json?: boolean;
  /** `--seen`: a checkpoint note of the same log, kept from before. */
  readonly seen?: Uint8Array;
  /** `--max-age`: for example `1d`. */
  readonly maxAge?: string;
  readonly now: Date;
}

/** 0: verified. 1: not verified. 2: the command or the policy could not be understood, so nothing was checked. */
export interface VerifyResult {
  readonly exitCode: 0 | 1 | 2;
  readonly text: string;
}

/** `custody verify` without its file reading: decides the exit code and says why. */
export function verifyCommand({ bundle, policy, json, seen, maxAge, now }: VerifyArguments): VerifyResult {
  if (maxAge !== undefined && !isDuration(maxAge)) {
    return { exitCode: 2, text: `--max-age "${maxAge}" is not a duration: write for example 30m, 12h or 7d\n` };
  }
  let trusted: Policy;
  try {
    trusted = parsePolicy(policy);
  } catch (error) {
    if (!(error instanceof BadNote)) throw error;
    return { exitCode: 2, text: `The policy file cannot be used. ${error.message}\n` };
  }
  const report = verifyBundle(bundle, trusted, {
    now,
    ...(seen && { seen }),
    ...(maxAge !== undefined && { maxAgeMs: milliseconds(maxAge) }),
  });
  const text = json ? `${JSON.stringify(report, null, 2)}\n` : explain(report);
  return { exitCode: report.ok ? 0 : 1, text };
}

function explain(report: Report): string {
  const { claims, checks, ok, level, entries } = report;
  const lines: string[] = [];
  if (claims) {
    const what = claims.scope.kind === 'incident' ? `incident ${claims.scope.incident}` : 'the whole log';
    lines.push(`Custody bundle: ${what}, ${entries} of ${claims.size} entries of ${claims.origin}`);
    if (claims.mode !== 'live') lines.push(`This is a ${claims.mode}: simulated providers, not a real incident.`);
    lines.push('');
  }
  for (const check of checks) {
    lines.push(`${check.ok ? '✓' : '✗'} ${check.name}: ${check.detail}`);
    if (!check.ok) lines.push(`    at ${check.where}`);
  }
  lines.push('');
  if (ok) {
    lines.push(`VERIFIED, level ${level}`, ...MEANING[level]);
    if (claims?.scope.kind === 'incident') lines.push(...CHOSEN);
  } else {
    const failed = checks.filter((check) => !check.ok).length;
    lines.push(`NOT VERIFIED: ${failed} of ${checks.length} checks failed. Do not rely on anything in this bundle.`);
  }
  return `${lines.map(printable).join('\n')}\n`;
}

const MEANING: Record<Level, readonly string[]> = {
  NONE: [],
  'SELF-SIGNED': [
    "Proven: nothing in this file changed since the log's own key signed it, and every entry is in that log.",
    'Not proven: that the holder of that key never signed another history, and that nothing was cut off the end since',
    '(use --seen with a checkpoint you kept, --max-age, or a policy with witnesses); that the clock was right.',
  ],
  ANCHORED: [
    'Proven, beyond SELF-SIGNED: the log stood as it is at the time of its anchor.',
    'Not proven: what was done to it after that time.',
  ],
  WITNESSED: [
    'Proven, beyond SELF-SIGNED: the witnesses that your policy demands saw this log grow, without a fork.',
    'Not proven: that the clock was right, and that everything which was done was logged.',
  ],
};

const CHOSEN: readonly string[] = [
  'Nor is it proven that these are all entries about the incident: only a bundle of the whole log shows that.',
];

/** What a bundle says goes to a terminal: no control character of it may act there, or begin a line of its own. */
const printable = (line: string): string => line.replace(/[\p{Cc}\p{Cf}]/gu, '\ufffd');
