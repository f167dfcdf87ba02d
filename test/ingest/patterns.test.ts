import { describe, expect, it } from 'vitest';
import { recognise, scrub } from '../../src/ingest/patterns.ts';
import { AWS_KEY, GITHUB_TOKEN, PASSWORD, SESSION_KEY } from './samples.ts';

const join = (...parts: readonly string[]): string => parts.join('');
const alnum = (length: number): string => 'aB3dE6gH9j'.repeat(Math.ceil(length / 10)).slice(0, length);
const AWS_SECRET = `${alnum(20)}/+${alnum(18)}`;
const INSTALLATION = join('ghs', '_123456_', 'eyJ', alnum(40), '.', alnum(200), '.', alnum(80));

describe('recognising a credential', () => {
  it.each([
    ['an AWS access key id', `key=${AWS_KEY};`, { kind: 'aws.access-key', id: AWS_KEY }],
    ['a classic GitHub token', `"${GITHUB_TOKEN}"`, { kind: 'github.token', secret: GITHUB_TOKEN }],
    ['an OAuth token', join('gho', '_', alnum(36)), { kind: 'github.token', secret: join('gho', '_', alnum(36)) }],
    ['a user token', join('ghu', '_', alnum(36)), { kind: 'github.token', secret: join('ghu', '_', alnum(36)) }],
    ['a refresh token', join('ghr', '_', alnum(76)), { kind: 'github.token', secret: join('ghr', '_', alnum(76)) }],
    ['an installation token of today', `It was ${INSTALLATION}.`, { kind: 'github.token', secret: INSTALLATION }],
    [
      'an older installation token',
      join('ghs', '_', alnum(36)),
      { kind: 'github.token', secret: join('ghs', '_', alnum(36)) },
    ],
    [
      'a fine-grained token',
      join('github', '_pat_', alnum(22), '_', alnum(59)),
      { kind: 'github.token', secret: join('github', '_pat_', alnum(22), '_', alnum(59)) },
    ],
  ])('finds %s within text', (_name, text, clue) => {
    expect(recognise(['nothing here', text])).toEqual({ is: 'known', clue });
  });

  it('knows temporary AWS credentials for what they are', () => {
    expect(recognise([SESSION_KEY])).toEqual({ is: 'aws.session' });
  });

  it.each(['', 'REDACTED', `X${AWS_KEY}`, `${AWS_KEY}Z`, AWS_KEY.slice(0, -1), GITHUB_TOKEN.slice(0, 20)])(
    'sees nothing in %j',
    (text) => {
      expect(recognise([text])).toEqual({ is: 'unknown' });
    },
  );
});

describe('scrubbing', () => {
  it.each([
    GITHUB_TOKEN,
    INSTALLATION,
    join('github', '_pat_', alnum(22), '_', alnum(59)),
    join('xox', 'b-', '1234567890-', alnum(24)),
    join('xox', 'e.xoxp', '-1-', alnum(40)),
    join('xapp', '-1-', alnum(40)),
    join('glpat', '-', alnum(20)),
    join('hvs', '.', alnum(24)),
    join('npm', '_', alnum(36)),
    join('AIza', alnum(35)),
    join('sk', '-proj-', alnum(40)),
    join('eyJ', alnum(30), '.eyJ', alnum(40), '.', alnum(43)),
    join('-----BEGIN RSA PRIVATE', ' KEY-----\n', alnum(64), '\n-----END RSA PRIVATE', ' KEY-----'),
  ])('removes a secret wherever it stands', (secret) => {
    const scrubbed = scrub(`before ${secret} after`);
    expect(scrubbed).toBe('before [secret removed] after');
  });

  it.each([
    [`aws_secret_access_key = ${AWS_SECRET}`, AWS_SECRET],
    [`{"SecretAccessKey":"${AWS_SECRET}"}`, AWS_SECRET],
    [`${AWS_KEY} / ${AWS_SECRET}`, AWS_SECRET],
    [`Authorization: Bearer ${alnum(24)}`, alnum(24)],
    [`postgres://app:${PASSWORD}@db.example/x`, PASSWORD],
  ])('removes a secret known by what stands before it', (text, secret) => {
    expect(scrub(text)).not.toContain(secret);
    expect(scrub(text)).toContain('[secret removed]');
  });

  it('leaves names and ordinary words alone', () => {
    const text = `Key ${AWS_KEY} of deploy, commit f14d7debf9775f957cf4f1e8176da0786431f72b, https://github.com/acme/web, 10:30`;
    expect(scrub(text)).toBe(text);
  });

  it('takes time in proportion to the text, whoever wrote it', () => {
    const cost = (size: number): number => {
      const hostile = [
        'aws secret '.repeat(size),
        ' '.repeat(size * 10),
        'ghs_a.'.repeat(size),
        '://a:'.repeat(size),
        '-----BEGIN '.repeat(size),
      ];
      const started = process.hrtime.bigint();
      for (const text of hostile) scrub(text);
      return Number(process.hrtime.bigint() - started);
    };
    const best = (size: number): number => Math.min(...Array.from({ length: 5 }, () => cost(size)));
    best(500);
    expect(best(8_000) / best(1_000)).toBeLessThan(40); // 8 if linear, 64 if quadratic
  });
});
