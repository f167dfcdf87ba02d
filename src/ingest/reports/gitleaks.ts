import { z } from 'zod';
import { shapedJson, text } from '../shape.ts';
import type { ReportFormat } from '../source.ts';
import { findingsOf, type Leak, REPORT_JSON, readDefaults } from './leak.ts';

const optional = (max: number) => z.string().max(max).optional();
const row = z.object({
  RuleID: text(300),
  Description: optional(2_000),
  Secret: z.string(),
  Match: z.string().optional(),
  File: text(4_096),
  StartLine: z.int().nonnegative().optional(),
  StartColumn: z.int().nonnegative().optional(),
  Commit: optional(64),
  Date: optional(64),
  Link: optional(4_096),
  Fingerprint: text(5_000),
});

/** `gitleaks … --report-format json`: https://github.com/gitleaks/gitleaks#readme. Gitleaks does not ask whether a secret works. */
export const gitleaks: ReportFormat = {
  name: 'gitleaks',
  parse(body, given) {
    const defaults = readDefaults(given);
    if (!defaults.ok) return defaults.invalid;
    const rows = shapedJson(z.array(row), body, REPORT_JSON);
    return rows.ok ? findingsOf(rows.value.map(leakOf), defaults.value) : rows.invalid;
  },
};

const leakOf = (found: z.infer<typeof row>): Leak => ({
  scanner: 'gitleaks',
  rule: found.Description || found.RuleID,
  // A fingerprint names commit, file, rule and line: two secrets on one line need the column.
  identity: `${found.Fingerprint}:${found.StartColumn ?? ''}`,
  texts: [found.Secret, found.Match ?? ''],
  file: found.File,
  line: found.StartLine,
  commit: found.Commit || undefined,
  url: found.Link || undefined,
  date: found.Date || undefined,
  validity: 'unknown',
});
