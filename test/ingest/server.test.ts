import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { awsHealth } from '../../src/ingest/sources/aws-health.ts';
import { genericSource } from '../../src/ingest/sources/generic.ts';
import { githubSource } from '../../src/ingest/sources/github.ts';
import { guardDuty } from '../../src/ingest/sources/guardduty.ts';
import { snsSource } from '../../src/ingest/sources/sns.ts';
import { storedParser } from '../../src/ingest/stored.ts';
import { selfSigned } from './certificate.ts';
import { AWS_KEY, fixture, GITHUB_TOKEN } from './samples.ts';
import { genericHeaders, githubHeaders, snsBody } from './signing.ts';
import { NOW, openWorld, serveIngest } from './world.ts';

const SECRET = 'for this test only';
const DAY = 86_400_000;
const certificate = selfSigned('sns.amazonaws.com', new Date(NOW.getTime() - DAY), new Date(NOW.getTime() + DAY));
const sources = [
  githubSource({ secrets: [SECRET] }),
  genericSource({ secrets: [SECRET] }),
  snsSource({
    topics: ['arn:aws:sns:us-east-1:111122223333:security-findings'],
    events: [guardDuty, awsHealth],
    fetchCertificate: async () => certificate.pem,
  }),
];
const created = fixture('github-alert-created.json');
const genericAlert = (more: object = {}): string =>
  JSON.stringify({
    id: 'a-1',
    title: 'A key in a public bucket',
    severity: 'critical',
    detectedAt: NOW.toISOString(),
    credential: { kind: 'aws.access-key', id: AWS_KEY },
    ...more,
  });

describe('POST /webhooks/:source', () => {
  it.each([
    ['github', created, githubHeaders(SECRET, created)],
    ['generic', genericAlert(), genericHeaders(SECRET, genericAlert(), NOW)],
    ['sns', snsBody(fixture('guardduty-user-key.json'), certificate.privateKey, NOW), {}],
  ])('accepts an alert of %s once and wakes triage, which reads the same finding', async (name, body, headers) => {
    await using world = await openWorld();
    await using served = await serveIngest(world, sources);
    const first = await served.post(name, body, headers);
    expect(first.status).toBe(202);
    const answer = (await first.json()) as { id: string; status: string };
    expect(answer).toEqual({ id: expect.any(String), status: 'accepted' });
    const second = await served.post(name, body, headers);
    expect(second.status).toBe(202);
    expect(await second.json()).toEqual({ ...answer, status: 'duplicate' });
    expect(served.woken()).toBe(1);
    const item = await world.inbox.next();
    expect(item).toMatchObject({ id: answer.id, source: name });
    const request = world.inbox.open(item ?? { id: '', body: Buffer.alloc(0) });
    const again = storedParser(sources)(name, request);
    expect(again).toEqual(sources.find((source) => source.name === name)?.parse({ headers, body: Buffer.from(body) }));
    expect(again.kind).toBe('findings');
    expect(await world.received()).toMatchObject([
      { source: name, outcome: 'accepted', status: 202, actor: { kind: 'source', id: name } },
      { source: name, outcome: 'duplicate' },
    ]);
  });

  it('answers a ping and records it', async () => {
    await using world = await openWorld();
    await using served = await serveIngest(world, sources);
    const ping = fixture('github-ping.json');
    const answer = await served.post('github', ping, githubHeaders(SECRET, ping, { event: 'ping' }));
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ status: 'nothing' });
    expect(served.woken()).toBe(0);
    expect(await world.received()).toMatchObject([
      { outcome: 'accepted', because: expect.stringContaining('webhook answers') },
    ]);
  });

  it('confirms a subscription of an allowed topic, again if the first visit failed', async () => {
    await using world = await openWorld();
    let up = false;
    const visit = async (): Promise<void> => {
      if (!up) throw new Error('no route');
    };
    await using served = await serveIngest(world, sources, { visit });
    const url = 'https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription';
    const changes = { Type: 'SubscriptionConfirmation', Token: 'abc', SubscribeURL: url };
    const body = snsBody('You have chosen to subscribe.', certificate.privateKey, NOW, changes);
    expect((await served.post('sns', body)).status).toBe(503);
    up = true;
    expect((await served.post('sns', body)).status).toBe(202);
    expect(served.visited).toEqual([url, url]);
    const forged = snsBody('', certificate.privateKey, NOW, {
      ...changes,
      TopicArn: 'arn:aws:sns:us-east-1:999999999999:evil',
    });
    expect((await served.post('sns', forged)).status).toBe(401);
    expect(served.visited).toHaveLength(2);
  });

  it('refuses a bad signature with 401, an unknown source with 404 and another method with 405', async () => {
    await using world = await openWorld();
    await using served = await serveIngest(world, sources);
    const forged = await served.post('github', created, githubHeaders('another secret', created));
    expect(forged.status).toBe(401);
    expect(forged.headers.get('content-type')).toBe('application/problem+json');
    expect(await forged.json()).toEqual({
      type: 'about:blank',
      title: 'Not authenticated',
      status: 401,
      detail: expect.stringContaining('does not match'),
    });
    expect((await served.post('no-such-source', created)).status).toBe(404);
    const get = await fetch(`http://127.0.0.1:${served.port}/webhooks/github`);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    expect(await world.inbox.next()).toBeNull();
    expect(await world.received()).toMatchObject([
      { source: 'github', outcome: 'rejected', status: 401, actor: { authn: 'none' } },
      { source: 'webhooks', outcome: 'rejected', status: 404 },
    ]);
  });

  it('says where an authentic body is wrong', async () => {
    await using world = await openWorld();
    await using served = await serveIngest(world, sources);
    const body = genericAlert({ severity: 'urgent' });
    const answer = await served.post('generic', body, genericHeaders(SECRET, body, NOW));
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ status: 422, at: '/severity' });
  });

  it('answers 503 with Retry-After, and accepts nothing, while the ledger cannot be written', async () => {
    await using world = await openWorld();
    await using served = await serveIngest(world, sources);
    await world.store.close();
    const answer = await served.post('github', created, githubHeaders(SECRET, created));
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
    const forged = await served.post('github', created, githubHeaders('another', created));
    expect(forged.status).toBe(503);
    expect([served.troubles.length, served.woken()]).toEqual([2, 0]);
  });
});

const deep = '['.repeat(20_000);
const HOSTILE: readonly (readonly [string, (valid: string) => string | Buffer])[] = [
  ['empty', () => ''],
  ['one NUL byte', () => '\0'],
  ['NUL bytes within', (valid) => valid.replace('{', '{\0')],
  ['truncated', (valid) => valid.slice(0, -5)],
  ['half', (valid) => valid.slice(0, valid.length / 2)],
  ['deeply nested', () => deep],
  ['deeply nested in a member', (valid) => valid.replace('{', `{"x":${deep},`)],
  ['an array', (valid) => `[${valid}]`],
  ['a string', () => '"alert"'],
  ['a number', () => '1e400'],
  ['null', () => 'null'],
  ['an empty object', () => '{}'],
  [
    'all members null',
    (valid) => JSON.stringify(Object.fromEntries(Object.keys(JSON.parse(valid)).map((k) => [k, null]))),
  ],
  [
    'all members arrays',
    (valid) => JSON.stringify(Object.fromEntries(Object.keys(JSON.parse(valid)).map((k) => [k, [[]]]))),
  ],
  ['a duplicate member', (valid) => valid.replace('{', `{${JSON.stringify(Object.keys(JSON.parse(valid))[0])}:0,`)],
  ['a prototype member', (valid) => valid.replace('{', '{"__proto__":{"ok":true},')],
  [
    'not UTF-8',
    (valid) =>
      Buffer.concat([Buffer.from(valid.slice(0, 20)), Buffer.from([0xc3, 0x28]), Buffer.from(valid.slice(20))]),
  ],
  ['UTF-16', (valid) => Buffer.from(valid, 'utf16le')],
  ['a form', () => 'payload=%7B%7D'],
  ['XML', () => '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'],
];

describe.each([
  ['github', created, (body: string | Buffer) => githubHeaders(SECRET, body)],
  ['generic', genericAlert(), (body: string | Buffer) => genericHeaders(SECRET, body, NOW)],
  ['sns', snsBody(fixture('guardduty-user-key.json'), certificate.privateKey, NOW), () => ({})],
] as const)('a hostile body sent to %s', (name, valid, sign) => {
  it.each(HOSTILE)('(%s) gets a clear 4xx and an entry, and nothing is kept', async (_what, spoil) => {
    await using world = await openWorld();
    await using served = await serveIngest(world, sources);
    const body = spoil(valid);
    const answer = await served.post(name, body, sign(body));
    expect([401, 422]).toContain(answer.status);
    expect(await answer.json()).toMatchObject({ status: answer.status, detail: expect.stringMatching(/\w{3}/) });
    expect(await world.inbox.next()).toBeNull();
    expect(await world.received()).toMatchObject([
      { source: name, outcome: 'rejected', status: answer.status, because: expect.any(String) },
    ]);
    expect(served.troubles).toEqual([]);
  });
});

describe('a body that is too large or too slow', () => {
  const limits = { maxBytes: 1_000, withinMs: 5_000 };

  it('is refused by its declared length, before any of it comes', async () => {
    await using world = await openWorld();
    await using served = await serveIngest(world, sources, { limits });
    const socket = connect(served.port, '127.0.0.1');
    socket.write('POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n');
    const [data] = await once(socket, 'data');
    expect(String(data)).toMatch(/^HTTP\/1\.1 413 /);
    expect(String(data)).toMatch(/^connection: close/im);
    socket.destroy();
    expect(await world.received()).toMatchObject([{ status: 413, outcome: 'rejected', size: 1_001 }]);
  });

  it('is refused while it still comes, when it never says how long it is', async () => {
    await using world = await openWorld();
    await using served = await serveIngest(world, sources, { limits });
    const socket = connect(served.port, '127.0.0.1');
    socket.on('error', () => {}); // the server may close while we still write
    socket.write('POST /webhooks/github HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n');
    const chunk = `200\r\n${'x'.repeat(0x200)}\r\n`;
    for (let i = 0; i < 4; i += 1) socket.write(chunk); // no final chunk: the body never ends
    const [data] = await once(socket, 'data');
    expect(String(data)).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
    const [entry] = await world.received();
    expect(entry).toMatchObject({ status: 413 });
    expect(entry?.size).toBeLessThan(3_000);
  });

  it('is refused when it does not arrive in time', async () => {
    await using world = await openWorld();
    await using served = await serveIngest(world, sources, { limits: { maxBytes: 1_000, withinMs: 50 } });
    const socket = connect(served.port, '127.0.0.1');
    socket.write('POST /webhooks/github HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
    const [data] = await once(socket, 'data');
    expect(String(data)).toMatch(/^HTTP\/1\.1 408 /);
    socket.destroy();
    expect(await world.received()).toMatchObject([{ status: 408, size: 1 }]);
  });

  it('does not stop the next caller', async () => {
    await using world = await openWorld();
    await using served = await serveIngest(world, sources);
    await served.post('github', 'x'.repeat(100_000));
    expect((await served.post('github', created, githubHeaders(SECRET, created))).status).toBe(202);
  });
});

describe('a secret that an alert brings', () => {
  const alert = genericAlert({ credential: { kind: 'github.token', secret: GITHUB_TOKEN } });
  const everyForm = (secret: string): readonly string[] =>
    [0, 1, 2]
      .map((shift) =>
        Buffer.from('x'.repeat(shift) + secret)
          .toString('base64')
          .slice(4, -4),
      )
      .concat(secret);

  it('is nowhere on disk in the clear, neither waiting nor done', async () => {
    await using world = await openWorld();
    await using served = await serveIngest(world, sources);
    expect((await served.post('generic', alert, genericHeaders(SECRET, alert, NOW))).status).toBe(202);
    const forms = everyForm(GITHUB_TOKEN);
    const found = (): readonly string[] => forms.filter((form) => world.bytesOnDisk().includes(form));
    expect(world.bytesOnDisk().includes('alert.received')).toBe(true); // the search does search
    expect(found()).toEqual([]);
    const item = await world.inbox.next();
    expect(item && String(world.inbox.open(item).body)).toContain(GITHUB_TOKEN);
    await world.ledger.commit((tx) => world.inbox.done(tx, item?.id ?? ''));
    expect(found()).toEqual([]);
  });

  it('is neither answered nor recorded when the alert is refused', async () => {
    await using world = await openWorld();
    await using served = await serveIngest(world, sources);
    const bodies = [
      genericAlert({ [GITHUB_TOKEN]: 1 }),
      genericAlert({ severity: GITHUB_TOKEN }),
      `${alert}${GITHUB_TOKEN}`,
      alert.replace('"id"', GITHUB_TOKEN),
    ];
    for (const body of bodies) {
      const answer = await served.post('generic', body, genericHeaders(SECRET, body, NOW));
      expect(answer.status).toBe(422);
      expect(await answer.text()).not.toContain(GITHUB_TOKEN);
    }
    const stranger = await served.post('sns', `{"${GITHUB_TOKEN}":1,"${GITHUB_TOKEN}":2}`);
    expect(stranger.status).toBe(401);
    expect(await stranger.text()).not.toContain(GITHUB_TOKEN);
    expect(everyForm(GITHUB_TOKEN).filter((form) => world.bytesOnDisk().includes(form))).toEqual([]);
  });
});
