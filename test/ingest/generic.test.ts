import { describe, expect, it } from 'vitest';
import { genericAlertSchema, genericSource } from '../../src/ingest/sources/generic.ts';
import { AWS_KEY, GITHUB_TOKEN, withMember } from './samples.ts';
import { genericHeaders } from './signing.ts';
import { NOW } from './world.ts';

const SECRET = 'for this test only';
const generic = genericSource({ secrets: [SECRET] });
const ALERT = {
  id: 'scan-7/1',
  title: 'A key in a public bucket',
  severity: 'high',
  exposure: 'public',
  validity: 'active',
  detectedAt: '2026-05-04T12:00:00+02:00',
  cause: { key: 'bucket:logs', title: 'The bucket logs is public' },
  credential: { kind: 'aws.access-key', id: AWS_KEY, where: { account: '111122223333', user: 'deploy' } },
  locations: [{ label: 's3://logs/boot.txt', url: 'https://s3.example/logs/boot.txt' }],
};
const parse = (alert: unknown) => generic.parse({ headers: {}, body: Buffer.from(JSON.stringify(alert)) });
const authenticate = (headers: Record<string, string>, body: string, now = NOW) =>
  generic.authenticate({ headers, body: Buffer.from(body) }, now);

describe('a signed alert of any other stream', () => {
  const body = JSON.stringify(ALERT);

  it('is accepted and named by its own id', async () => {
    expect(await authenticate(genericHeaders(SECRET, body, NOW), body)).toEqual({ ok: true, delivery: 'scan-7/1' });
  });

  it('may carry several signatures while the secret is being replaced', async () => {
    const headers = genericHeaders(SECRET, body, NOW);
    const both = { ...headers, 'x-tourniquet-signature': `v1=${'0'.repeat(64)}, ${headers['x-tourniquet-signature']}` };
    expect(await authenticate(both, body)).toMatchObject({ ok: true });
  });

  it.each([
    [300_000, true],
    [301_000, false],
    [-300_000, true],
    [-301_000, false],
  ])('is %d ms later still good: %s', async (ms, ok) => {
    expect(
      await authenticate(
        genericHeaders(SECRET, body, NOW),
        body,
        new Date(Math.floor(NOW.getTime() / 1_000) * 1_000 + ms),
      ),
    ).toMatchObject({ ok });
  });

  it('cannot be given a newer timestamp by whoever replays it', async () => {
    const headers = genericHeaders(SECRET, body, NOW);
    const later = new Date(NOW.getTime() + 3_600_000);
    const newer = { ...headers, 'x-tourniquet-timestamp': String(Math.floor(later.getTime() / 1_000)) };
    expect(await authenticate(newer, body, later)).toMatchObject({ ok: false, status: 401 });
  });

  it.each([
    ['x-tourniquet-timestamp', ''],
    ['x-tourniquet-timestamp', '1e9'],
    ['x-tourniquet-timestamp', '-1'],
    ['x-tourniquet-signature', ''],
    ['x-tourniquet-signature', 'v1='],
    ['x-tourniquet-signature', `v2=${'0'.repeat(64)}`],
    ['x-tourniquet-signature', `v1=${'0'.repeat(64)}`],
  ])('is refused when %s is %j', async (header, value) => {
    const headers = { ...genericHeaders(SECRET, body, NOW), [header]: value };
    expect(await authenticate(headers, body)).toMatchObject({ ok: false, status: 401 });
  });
});

describe('the generic alert', () => {
  it('is a finding as it says, its times in UTC', () => {
    const { credential, id, ...same } = ALERT;
    expect(parse(ALERT)).toEqual({
      kind: 'findings',
      findings: [{ ...same, dedupeKey: `generic:${id}`, clue: credential, detectedAt: '2026-05-04T10:00:00.000Z' }],
    });
  });

  it('may bring the secret, and then needs no id', () => {
    const alert = withMember(ALERT, 'credential', { kind: 'github.token', secret: GITHUB_TOKEN });
    expect(parse(alert)).toMatchObject({ findings: [{ clue: { kind: 'github.token', secret: GITHUB_TOKEN } }] });
  });

  it('is a cause of its own and of unknown exposure and validity unless it says otherwise', () => {
    const { cause: _c, exposure: _e, validity: _v, locations: _l, ...least } = ALERT;
    expect(parse(least)).toMatchObject({
      findings: [
        {
          cause: { key: 'generic:scan-7/1', title: ALERT.title },
          exposure: 'unknown',
          validity: 'unknown',
          locations: [],
        },
      ],
    });
  });

  it('can ask to be only shown', () => {
    expect(parse({ ...ALERT, showOnly: 'a test' })).toMatchObject({ findings: [{ showOnly: 'a test' }] });
  });

  it.each([
    ['id', undefined, '/id'],
    ['id', 'a b', '/id'],
    ['id', 'x'.repeat(201), '/id'],
    ['title', '', '/title'],
    ['title', 'x'.repeat(301), '/title'],
    ['severity', 'urgent', '/severity'],
    ['detectedAt', '2026-02-30T00:00:00Z', '/detectedAt'],
    ['detectedAt', 1777888800, '/detectedAt'],
    ['credential', { kind: 'aws.access-key' }, '/credential'],
    ['credential.kind', 'AWS key', '/credential/kind'],
    ['credential.secret', 'x'.repeat(8_001), '/credential/secret'],
    ['credential.where', { a: { b: 1 } }, '/credential/where/a'],
    ['credential.where', Object.fromEntries(Array.from({ length: 31 }, (_, i) => [`k${i}`, i])), '/credential/where'],
    ['credential.password', 'x', '/credential/password'],
    ['locations', [{ label: 'x', url: 'javascript:alert(1)' }], '/locations/0/url'],
    ['locations', [{ label: 'x', url: 'https://me:pass@x.example/' }], '/locations/0/url'],
    ['locations', Array.from({ length: 101 }, () => ({ label: 'x' })), '/locations'],
    ['extra', true, '/extra'],
  ])('is refused when %s is %j', (path, value, at) => {
    expect(parse(withMember(ALERT, path, value))).toMatchObject({ kind: 'invalid', at });
  });

  it('is documented by a JSON Schema that knows every member and allows no other', () => {
    const schema = genericAlertSchema();
    expect(schema).toMatchObject({
      type: 'object',
      additionalProperties: false,
      required: ['id', 'title', 'severity', 'detectedAt', 'credential'],
    });
    expect(Object.keys((schema as { properties: object }).properties)).toEqual(
      expect.arrayContaining([...Object.keys(ALERT), 'exposedAt', 'showOnly']),
    );
  });
});
