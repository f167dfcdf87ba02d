import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { githubSource } from '../../src/ingest/sources/github.ts';
import { fixture, fixtureJson, withMember } from './samples.ts';
import { githubHeaders } from './signing.ts';
import { NOW } from './world.ts';

const SECRET = 'for this test only';
const github = githubSource({ secrets: ['the next secret', SECRET] });
const created = fixture('github-alert-created.json');
const authenticate = (headers: Record<string, string | undefined>, body: string) =>
  github.authenticate({ headers, body: Buffer.from(body) }, NOW);
const parse = (body: unknown, event = 'secret_scanning_alert') =>
  github.parse({
    headers: { 'x-github-event': event },
    body: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  });
const alert = (changes: Record<string, unknown>) =>
  Object.entries(changes).reduce(
    (body, [path, value]) => withMember(body, path, value),
    fixtureJson('github-alert-created.json'),
  );

describe('the signature of GitHub', () => {
  it('is accepted under any of the secrets in use, and names the delivery', async () => {
    const delivery = '72d3162e-cc78-11e3-81ab-4c9367dc0958';
    expect(await authenticate(githubHeaders(SECRET, created), created)).toEqual({ ok: true, delivery });
    expect(await authenticate(githubHeaders('the next secret', created), created)).toEqual({ ok: true, delivery });
  });

  it.each([
    ['under another secret', { 'x-hub-signature-256': githubHeaders('another', created)['x-hub-signature-256'] }],
    ['of another body', { 'x-hub-signature-256': githubHeaders(SECRET, `${created} `)['x-hub-signature-256'] }],
    ['that is missing', { 'x-hub-signature-256': undefined }],
    ['that is empty', { 'x-hub-signature-256': 'sha256=' }],
    ['cut short', { 'x-hub-signature-256': githubHeaders(SECRET, created)['x-hub-signature-256']?.slice(0, -2) }],
    [
      'twice',
      { 'x-hub-signature-256': `sha256=${'0'.repeat(64)}, ${githubHeaders(SECRET, created)['x-hub-signature-256']}` },
    ],
    ['without a delivery id', { 'x-github-delivery': undefined }],
    ['with a delivery id that is none', { 'x-github-delivery': '../../x y' }],
    ['without an event', { 'x-github-event': undefined }],
  ])('is refused %s', async (_name, change) => {
    const answer = await authenticate({ ...githubHeaders(SECRET, created), ...change }, created);
    expect(answer).toMatchObject({ ok: false, status: 401 });
  });

  it('cannot be left out of the configuration', () => {
    expect(() => githubSource({ secrets: [] })).toThrow(/at least one/);
    expect(() => githubSource({ secrets: ['good', ''] })).toThrow(/none of them empty/);
  });
});

describe('a secret scanning alert', () => {
  it('is a finding that points to the alert, where the secret is', () => {
    expect(parse(created)).toEqual({
      kind: 'findings',
      findings: [
        {
          dedupeKey: 'github:acme/web#42',
          title: 'Amazon AWS Access Key ID in acme/web (alert #42)',
          cause: { key: 'github:acme/web#42', title: 'Amazon AWS Access Key ID in acme/web (alert #42)' },
          severity: 'high',
          exposure: 'internal',
          validity: 'active',
          clue: {
            kind: 'github.secret-scanning-alert',
            id: 'acme/web#42',
            where: { owner: 'acme', repo: 'web', number: 42, secretType: 'amazon_aws_access_key_id' },
          },
          locations: [
            {
              label: 'acme/web: secret scanning alert #42',
              url: 'https://github.com/acme/web/security/secret-scanning/42',
            },
          ],
          detectedAt: '2026-05-04T09:12:31.000Z',
        },
      ],
    });
  });

  it('is read as GitHub Enterprise Server sent it before there were times in it', () => {
    const captured = readFileSync(
      new URL('../e2e/fixtures/secret-scanning-alert-reopened.json', import.meta.url),
      'utf8',
    );
    const parsed = parse(captured);
    expect(parsed).toMatchObject({
      findings: [{ dedupeKey: 'github:Codertocat/Hello-World#191', exposure: 'internal' }],
    });
    expect(parsed).not.toHaveProperty('findings.0.detectedAt');
  });

  it.each(['created', 'publicly_leaked', 'validated', 'reopened'])('is acted on when it is %s', (action) => {
    expect(parse(alert({ action })).kind).toBe('findings');
  });

  it.each(['resolved', 'revoked', 'assigned', 'something new'])('asks for nothing when it is %s', (action) => {
    expect(parse(alert({ action })).kind).toBe('nothing');
  });

  it('asks for nothing once someone has resolved it, whatever the action', () => {
    expect(parse(alert({ action: 'validated', 'alert.resolution': 'revoked' })).kind).toBe('nothing');
  });

  it.each([
    [{ 'alert.publicly_leaked': true }, 'public', 'critical'],
    [{ 'repository.private': false }, 'public', 'critical'],
    [{ 'repository.private': false, 'alert.validity': 'unknown' }, 'public', 'high'],
    [{ 'alert.validity': 'inactive' }, 'internal', 'low'],
    [{ 'alert.validity': undefined, 'alert.publicly_leaked': null }, 'internal', 'medium'],
  ])('with %j is %s and %s', (changes, exposure, severity) => {
    expect(parse(alert(changes))).toMatchObject({ findings: [{ exposure, severity }] });
  });

  it.each([
    ['alert', undefined, '/alert'],
    ['alert.number', '42', '/alert/number'],
    ['alert.number', -1, '/alert/number'],
    ['alert.created_at', 'yesterday', '/alert/created_at'],
    ['alert.validity', 'perhaps', '/alert/validity'],
    ['alert.html_url', 'javascript:alert(1)', '/alert/html_url'],
    ['repository.full_name', '../../orgs', '/repository/full_name'],
    ['repository.full_name', 'acme/..', '/repository/full_name'],
    ['repository.full_name', 'acme/web/../x', '/repository/full_name'],
    ['repository.private', 'no', '/repository/private'],
    ['action', ['created'], '/action'],
  ])('is refused when %s is %j', (path, value, at) => {
    expect(parse(alert({ [path]: value }))).toMatchObject({ kind: 'invalid', at });
  });
});

describe('the location of an alert', () => {
  it('joins the finding of its alert and says which line of which commit', () => {
    expect(parse(fixture('github-location-created.json'), 'secret_scanning_alert_location')).toMatchObject({
      findings: [
        {
          dedupeKey: 'github:acme/web#42',
          cause: { key: 'github:acme/web#42' },
          exposure: 'public',
          locations: [
            {
              label: 'acme/web: deploy/prod env line 3, commit f14d7de',
              url: 'https://github.com/acme/web/blob/f14d7debf9775f957cf4f1e8176da0786431f72b/deploy/prod%20env#L3',
            },
          ],
        },
      ],
    });
  });

  it('outside a commit is named by what it is', () => {
    const comment = { type: 'issue_comment', details: { issue_comment_url: 'https://api.github.com/x' } };
    const event = withMember(fixtureJson('github-location-created.json'), 'location', comment);
    expect(parse(event, 'secret_scanning_alert_location')).toMatchObject({
      findings: [{ locations: [{ label: 'acme/web: issue comment' }] }],
    });
  });
});

describe('other events of GitHub', () => {
  it('ask for nothing', () => {
    expect(parse(fixture('github-ping.json'), 'ping')).toMatchObject({ kind: 'nothing' });
    expect(parse({}, 'push')).toMatchObject({ kind: 'nothing', because: expect.stringContaining('push') });
  });

  it('sent as a form are refused with what to change', () => {
    const headers = { 'x-github-event': 'ping', 'content-type': 'application/x-www-form-urlencoded' };
    const parsed = github.parse({ headers, body: Buffer.from('payload=%7B%7D') });
    expect(parsed).toMatchObject({ kind: 'invalid', message: expect.stringContaining('application/json') });
  });
});
