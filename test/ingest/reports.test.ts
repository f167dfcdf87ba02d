import { describe, expect, it } from 'vitest';
import { detectFormat, reportFormat } from '../../src/ingest/reports/detect-format.ts';
import { AWS_KEY, fixture, GITHUB_TOKEN, PASSWORD, SESSION_KEY } from './samples.ts';

const AT = '2026-05-04T10:00:10.000Z';
const parse = (name: string, body: string | Buffer, defaults = {}) => {
  const format = reportFormat(name);
  if (!format) throw new Error(`no format ${name}`);
  return format.parse(Buffer.from(body), { at: AT, ...defaults });
};
const gitleaksWith = (changes: Record<string, unknown>, index = 0): string => {
  const rows: Record<string, unknown>[] = JSON.parse(fixture('gitleaks.json'));
  return JSON.stringify([{ ...rows[index], ...changes }]);
};
const COMMIT = 'f14d7debf9775f957cf4f1e8176da0786431f72b';

describe('a gitleaks report', () => {
  it('names what connectors act upon, one cause for one commit, and only shows the rest', () => {
    const parsed = parse('gitleaks', fixture('gitleaks.json'), { repository: 'acme/web', exposure: 'public' });
    expect(parsed).toMatchObject({
      kind: 'findings',
      findings: [
        {
          dedupeKey: `gitleaks:acme/web:${COMMIT}:deploy/prod.env:aws-access-token:3:20`,
          cause: { key: `leak:acme/web:commit:${COMMIT}`, title: 'Leak in acme/web: commit f14d7de' },
          severity: 'high',
          exposure: 'public',
          validity: 'unknown',
          clue: { kind: 'aws.access-key', id: AWS_KEY },
          locations: [
            { label: 'acme/web: deploy/prod.env line 3, commit f14d7de', url: expect.stringContaining('#L3') },
          ],
          detectedAt: AT,
          exposedAt: '2026-05-04T09:10:11.000Z',
        },
        { cause: { key: `leak:acme/web:commit:${COMMIT}` }, clue: { kind: 'github.token', secret: GITHUB_TOKEN } },
        {
          cause: { key: 'leak:acme/web:file:billing.py' },
          clue: { kind: 'unknown' },
          showOnly: expect.stringContaining('No connector'),
        },
      ],
    });
    const shown = parsed.kind === 'findings' ? parsed.findings.map(({ showOnly }) => showOnly !== undefined) : [];
    expect(shown).toEqual([false, false, true]);
  });

  it('of temporary AWS credentials only shows them', () => {
    const parsed = parse('gitleaks', gitleaksWith({ Secret: SESSION_KEY, Match: SESSION_KEY }));
    expect(parsed).toMatchObject({
      findings: [{ clue: { kind: 'unknown' }, showOnly: expect.stringContaining('temporary') }],
    });
  });

  it('keeps two secrets on one line apart and says the same leak once', () => {
    const [row] = JSON.parse(gitleaksWith({ StartColumn: 0 }, 1));
    const other = { ...row, Secret: `${GITHUB_TOKEN.slice(0, -1)}9` };
    const parsed = parse('gitleaks', JSON.stringify([row, row, other]));
    const keys = parsed.kind === 'findings' ? parsed.findings.map(({ dedupeKey }) => dedupeKey) : [];
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(2);
  });

  it('without leaks asks for nothing', () => {
    expect(parse('gitleaks', '[]').kind).toBe('nothing');
  });

  it.each([
    ['{"RuleID":"x"}', ''],
    ['[{"RuleID":"x"}]', '/0/Secret'],
    [gitleaksWith({ Secret: 5 }), '/0/Secret'],
    [gitleaksWith({ File: '' }), '/0/File'],
    ['[', '/0'],
  ])('is refused where it is not one', (body, at) => {
    expect(parse('gitleaks', body)).toMatchObject({ kind: 'invalid', at });
  });

  it('is refused with defaults that nobody defined', () => {
    expect(parse('gitleaks', '[]', { exposure: 'everywhere' })).toMatchObject({ kind: 'invalid', at: '/exposure' });
  });
});

describe('a SARIF log', () => {
  it('names the secret of a snippet, skips what passed and only shows what is suppressed', () => {
    const parsed = parse('sarif', fixture('gitleaks.sarif'), { repository: 'acme/web' });
    expect(parsed).toMatchObject({
      kind: 'findings',
      findings: [
        {
          clue: { kind: 'aws.access-key', id: AWS_KEY },
          cause: { key: `leak:acme/web:commit:${COMMIT}` },
          locations: [{ label: 'acme/web: deploy/prod.env line 3, commit f14d7de' }],
        },
        {
          clue: { kind: 'unknown' },
          locations: [{ label: 'git.acme.example/web: src/main.c line 7, commit 0a1b2c3' }],
          showOnly: expect.stringContaining('suppresses'),
        },
      ],
    });
    expect(parsed.kind === 'findings' && parsed.findings).toHaveLength(2);
    expect(JSON.stringify(parsed)).not.toContain(PASSWORD);
  });

  it('of another version is refused', () => {
    const old = fixture('gitleaks.sarif').replace('"version": "2.1.0"', '"version": "2.0.0"');
    expect(parse('sarif', old)).toMatchObject({ kind: 'invalid', at: '/version' });
  });
});

describe('a TruffleHog report', () => {
  it('acts on what was verified or could not be, and only shows the rest', () => {
    expect(parse('trufflehog', fixture('trufflehog.jsonl'))).toMatchObject({
      findings: [
        {
          validity: 'active',
          clue: { kind: 'aws.access-key', id: AWS_KEY },
          cause: { key: `leak:acme/web:commit:${COMMIT}` },
        },
        { validity: 'unknown', clue: { kind: 'github.token', secret: GITHUB_TOKEN } },
        { validity: 'unknown', showOnly: expect.stringContaining('did not verify') },
      ],
    });
    expect(parse('trufflehog', fixture('trufflehog.jsonl').split('\n')[1] ?? '')).not.toHaveProperty(
      'findings.0.showOnly',
    );
  });

  it('never names a finding by its secret', () => {
    const parsed = parse('trufflehog', fixture('trufflehog.jsonl'));
    const keys = parsed.kind === 'findings' ? parsed.findings.map(({ dedupeKey }) => dedupeKey).join() : '';
    expect(keys).toContain('trufflehog:');
    expect(keys).not.toContain(GITHUB_TOKEN);
  });

  it('is refused by the line that is wrong', () => {
    const lines = fixture('trufflehog.jsonl').split('\n');
    const broken = Buffer.concat([Buffer.from(`${lines[0]}\r\n\n`), Buffer.from([0xff]), Buffer.from('\n')]);
    expect(parse('trufflehog', broken)).toMatchObject({ kind: 'invalid', message: expect.stringContaining('Line 3') });
    expect(parse('trufflehog', `${lines[0]}\n{"Verified":true}`)).toMatchObject({
      kind: 'invalid',
      at: '/DetectorName',
      message: expect.stringContaining('Line 2'),
    });
  });
});

describe('the format of a report', () => {
  it.each([
    ['gitleaks', fixture('gitleaks.json')],
    ['gitleaks', '\uFEFF  []'],
    ['sarif', fixture('gitleaks.sarif')],
    ['sarif', '{"version":"2.1.0","runs":[]}'],
    ['trufflehog', fixture('trufflehog.jsonl')],
  ])('%s is told from the content', (name, body) => {
    expect(detectFormat(Buffer.from(body))?.name).toBe(name);
  });

  it.each(['', 'hello', '<xml/>', '{"some":"thing"}', '\0\0\0'])('of %j is unknown', (body) => {
    expect(detectFormat(Buffer.from(body))).toBeNull();
  });
});
