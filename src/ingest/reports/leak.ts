import { z } from 'zod';
import type { Finding, Validity } from '../../core/finding.ts';
import type { JsonObject } from '../../core/json.ts';
import { recognise } from '../patterns.ts';
import { severityOf } from '../severity.ts';
import { invalid, link, type Shaped, shaped, text } from '../shape.ts';
import type { Parsed } from '../source.ts';
import type { JsonLimits } from '../strict-json.ts';

export const REPORT_JSON: JsonLimits = { bytes: 64 * 1024 * 1024, depth: 64 };
const MOST_LEAKS = 10_000;

/** What the command line says where the file does not. */
const reportDefaults = z.strictObject({
  repository: text(300).optional(),
  exposure: z.enum(['public', 'internal', 'anomaly', 'unknown']).default('unknown'),
  /** ISO 8601: when the file was handed in, for leaks that carry no date. */
  at: z.iso.datetime(),
});
export type ReportDefaults = z.infer<typeof reportDefaults>;

export const readDefaults = (defaults: JsonObject): Shaped<ReportDefaults> => shaped(reportDefaults, defaults);

/** One leak as a scanner reported it, whichever scanner it was. */
export interface Leak {
  readonly scanner: string;
  readonly rule: string;
  /** The scanner's own identity of the leak, holding no part of the secret. */
  readonly identity: string;
  /** Where the secret may stand, the likeliest first. */
  readonly texts: readonly string[];
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  readonly commit?: string | undefined;
  readonly repository?: string | undefined;
  readonly url?: string | undefined;
  /** Any date that JavaScript reads. */
  readonly date?: string | undefined;
  readonly validity: Validity;
  readonly showOnly?: string | undefined;
}

/** The findings of a report; nothing when it holds none. */
export function findingsOf(leaks: readonly Leak[], defaults: ReportDefaults): Parsed {
  if (leaks.length === 0) return { kind: 'nothing', because: 'The report holds no leaks.' };
  if (leaks.length > MOST_LEAKS) {
    return invalid('', `The report holds ${leaks.length} leaks; at most ${MOST_LEAKS} are accepted at once. Split it.`);
  }
  return { kind: 'findings', findings: distinct(leaks.map((leak) => findingOf(leak, defaults))) };
}

function findingOf(leak: Leak, defaults: ReportDefaults): Finding {
  const found = recognise(leak.texts);
  const repository = leak.repository ?? defaults.repository;
  const place = repository ? `${repository}: ` : '';
  const file = cut(leak.file ?? 'somewhere in the history');
  const line = leak.line ? ` line ${leak.line}` : '';
  const commit = leak.commit ? `, commit ${leak.commit.slice(0, 7)}` : '';
  const cause = leak.commit ? `commit:${leak.commit}` : `file:${leak.file ?? ''}`;
  const causeTitle = leak.commit ? `commit ${leak.commit.slice(0, 7)}` : file;
  const showOnly = leak.showOnly ?? whyShown(found.is);
  const url = link.safeParse(leak.url);
  const date = new Date(leak.date ?? Number.NaN);
  return {
    dedupeKey: `${leak.scanner}:${repository ?? ''}:${leak.identity}`,
    title: `${cut(leak.rule)} in ${place}${file}`,
    cause: { key: `leak:${repository ?? ''}:${cause}`, title: `Leak in ${place}${causeTitle}` },
    severity: severityOf(defaults.exposure, leak.validity),
    exposure: defaults.exposure,
    validity: leak.validity,
    clue: found.is === 'known' ? found.clue : { kind: 'unknown' },
    locations: [{ label: `${place}${file}${line}${commit}`, ...(url.success && { url: url.data }) }],
    detectedAt: defaults.at,
    ...(Number.isNaN(date.getTime()) ? {} : { exposedAt: date.toISOString() }),
    ...(showOnly && { showOnly }),
  };
}

/** For people: a path may be 4,096 characters long, a line in chat may not. */
const cut = (long: string): string => (long.length <= 160 ? long : `…${long.slice(-159)}`);

/** `https://github.com/acme/web.git` → `acme/web`, other hosts with their name; never the userinfo, which may hold a password. */
export function repositoryName(uri: string | undefined): string | undefined {
  const url = URL.parse(uri ?? '');
  if (!url || !/^(https?|ssh|git):$/.test(url.protocol)) return undefined;
  const path = url.pathname.replace(/^\//, '').replace(/\.git$/, '');
  return url.host === 'github.com' ? path : `${url.host}/${path}`;
}

function whyShown(found: 'known' | 'aws.session' | 'unknown'): string | undefined {
  switch (found) {
    case 'known':
      return undefined;
    case 'aws.session':
      return 'These are temporary AWS credentials: they expire by themselves. Find the role that they belong to in CloudTrail.';
    case 'unknown':
      return 'No connector knows this kind of secret, or the report was redacted.';
  }
}

/** A leak that a scanner reports twice is one finding; two leaks that it names alike (same rule, same line) stay two. */
function distinct(findings: readonly Finding[]): readonly Finding[] {
  const byKey = Map.groupBy(findings, ({ dedupeKey }) => dedupeKey);
  return [...byKey.values()].flatMap((alike) => {
    const different = [
      ...new Map(alike.map((finding) => [`${finding.clue.id}\n${finding.clue.secret}`, finding])).values(),
    ];
    return different.map((finding, n) =>
      n === 0 ? finding : { ...finding, dedupeKey: `${finding.dedupeKey}#${n + 1}` },
    );
  });
}
