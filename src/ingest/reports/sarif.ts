import { z } from 'zod';
import { shapedJson, text } from '../shape.ts';
import type { ReportFormat } from '../source.ts';
import { findingsOf, type Leak, REPORT_JSON, readDefaults, repositoryName } from './leak.ts';

const region = z.object({
  startLine: z.int().nonnegative().optional(),
  startColumn: z.int().nonnegative().optional(),
  snippet: z.object({ text: z.string().optional() }).optional(),
});
const physicalLocation = z.object({
  artifactLocation: z.object({ uri: z.string().max(4_096).optional() }).optional(),
  region: region.optional(),
  contextRegion: region.optional(),
});
const result = z.object({
  ruleId: z.string().max(300).optional(),
  rule: z.object({ id: z.string().max(300).optional() }).optional(),
  kind: z.string().max(100).optional(),
  message: z.object({ text: z.string().optional() }),
  locations: z.array(z.object({ physicalLocation: physicalLocation.optional() })).default([]),
  partialFingerprints: z.record(z.string(), z.string().max(5_000)).default({}),
  suppressions: z.array(z.object({ status: z.string().optional() })).nullish(),
});
const log = z.object({
  version: z.literal('2.1.0'),
  runs: z.array(
    z.object({
      tool: z.object({ driver: z.object({ name: text(200) }) }),
      results: z.array(result).nullish(),
      versionControlProvenance: z
        .array(z.object({ repositoryUri: z.string().max(2_000).optional(), revisionId: z.string().max(64).optional() }))
        .optional(),
    }),
  ),
});
type Run = z.infer<typeof log>['runs'][number];
type Result = z.infer<typeof result>;

/** SARIF 2.1.0 (OASIS), as gitleaks and code hosts write it. What it says of a secret stands in a snippet, if anywhere. */
export const sarif: ReportFormat = {
  name: 'sarif',
  parse(body, given) {
    const defaults = readDefaults(given);
    if (!defaults.ok) return defaults.invalid;
    const found = shapedJson(log, body, REPORT_JSON);
    if (!found.ok) return found.invalid;
    const leaks = found.value.runs.flatMap((run) => (run.results ?? []).filter(isLeak).map((one) => leakOf(run, one)));
    return findingsOf(leaks, defaults.value);
  },
};

/** SARIF §3.27.9: a result without a kind is a failure; the others say that something is in order or undecided. */
const isLeak = ({ kind }: Result): boolean =>
  kind === undefined || kind === 'fail' || kind === 'open' || kind === 'review';

function leakOf(run: Run, found: Result): Leak {
  const where = found.locations[0]?.physicalLocation;
  const provenance = run.versionControlProvenance?.[0];
  const rule = found.ruleId || found.rule?.id || 'secret';
  const file = where?.artifactLocation?.uri;
  const line = where?.region?.startLine;
  const commit = found.partialFingerprints.commitSha || provenance?.revisionId || undefined;
  const isSuppressed = found.suppressions?.some(({ status }) => status === undefined || status === 'accepted');
  return {
    scanner: `sarif:${run.tool.driver.name}`,
    rule,
    identity: [commit, file, rule, line, where?.region?.startColumn].map((part) => part ?? '').join(':'),
    texts: [where?.region?.snippet?.text ?? '', where?.contextRegion?.snippet?.text ?? '', found.message.text ?? ''],
    file,
    line,
    commit,
    repository: repositoryName(provenance?.repositoryUri),
    date: found.partialFingerprints.date,
    validity: 'unknown',
    showOnly: isSuppressed ? 'The scanner’s configuration suppresses this result.' : undefined,
  };
}
