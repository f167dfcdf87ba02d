import { z } from 'zod';
import type { Validity } from '../../core/finding.ts';
import { invalid, shaped, text } from '../shape.ts';
import type { ReportFormat } from '../source.ts';
import { parseStrictJson } from '../strict-json.ts';
import { findingsOf, type Leak, REPORT_JSON, readDefaults, repositoryName } from './leak.ts';

const optional = (max: number) => z.string().max(max).optional();
const source = z.object({
  commit: optional(64),
  file: optional(4_096),
  link: optional(4_096),
  repository: optional(2_000),
  timestamp: optional(64),
  line: z.int().nonnegative().optional(),
});
const row = z.object({
  DetectorName: text(200),
  Verified: z.boolean(),
  /** The provider could not be asked: the secret may well work. */
  VerificationError: optional(10_000),
  Raw: z.string(),
  RawV2: z.string().optional(),
  /** One member, named for the kind of source: Git, Github, Filesystem, … */
  SourceMetadata: z.object({ Data: z.record(z.string(), source).nullish() }).nullish(),
});
type Row = z.infer<typeof row>;

/** `trufflehog … --json`: one JSON object a line. */
export const trufflehog: ReportFormat = {
  name: 'trufflehog',
  parse(body, given) {
    const defaults = readDefaults(given);
    if (!defaults.ok) return defaults.invalid;
    if (body.length > REPORT_JSON.bytes)
      return invalid('', `The file is larger than ${REPORT_JSON.bytes} bytes. Split it.`);
    const leaks: Leak[] = [];
    for (const [n, line] of linesOf(body).entries()) {
      if (line.length === 0) continue;
      const json = parseStrictJson(line, REPORT_JSON);
      if (!json.ok) return invalid(json.at, `Line ${n + 1}: ${json.message}`);
      const found = shaped(row, json.value);
      if (!found.ok) return invalid(found.invalid.at, `Line ${n + 1}: ${found.invalid.message}`);
      leaks.push(leakOf(found.value));
    }
    return findingsOf(leaks, defaults.value);
  },
};

/** Cut before decoding, so that one line that is not UTF-8 can be named. */
function linesOf(body: Buffer): readonly Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < body.length; ) {
    const at = body.indexOf('\n', start);
    const end = at < 0 ? body.length : at;
    const line = body.subarray(start, end);
    lines.push(line.at(-1) === 0x0d ? line.subarray(0, -1) : line);
    start = end + 1;
  }
  return lines;
}

function leakOf(found: Row): Leak {
  const where = Object.values(found.SourceMetadata?.Data ?? {})[0] ?? {};
  return {
    scanner: 'trufflehog',
    rule: found.DetectorName,
    identity: [found.DetectorName, where.commit, where.file, where.line].map((part) => part ?? '').join(':'),
    texts: [found.Raw, found.RawV2 ?? ''],
    file: where.file || undefined,
    line: where.line,
    commit: where.commit || undefined,
    repository: repositoryName(where.repository),
    url: where.link,
    date: where.timestamp,
    ...standing(found),
  };
}

function standing({ Verified, VerificationError }: Row): { validity: Validity; showOnly?: string } {
  if (Verified) return { validity: 'active' };
  if (VerificationError) return { validity: 'unknown' };
  return {
    validity: 'unknown',
    showOnly: 'TruffleHog did not verify this secret: it was refused, or nobody asked its provider.',
  };
}
