import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createInbox } from '../../src/ingest/inbox.ts';
import { SourceRates } from '../../src/ingest/rate.ts';
import { genericSource } from '../../src/ingest/sources/generic.ts';
import { githubSource } from '../../src/ingest/sources/github.ts';
import { Uploads } from '../../src/ingest/uploads.ts';
import { AWS_KEY, fixture } from './samples.ts';
import { genericHeaders, githubHeaders } from './signing.ts';
import { NOW, openWorld, serveIngest, type World } from './world.ts';

const SECRET = 'for this test only';
const sources = [githubSource({ secrets: [SECRET] }), genericSource({ secrets: [SECRET] })];
const alert = (id: string, severity = 'low'): string =>
  JSON.stringify({
    id,
    title: 'A key in a log',
    severity,
    detectedAt: NOW.toISOString(),
    credential: { kind: 'aws.access-key', id: AWS_KEY },
  });
const limited = (world: World, limits: object) =>
  createInbox({ ...world, db: world.store.db, random: randomUUID, ...limits });
const rows = async ({ store }: World): Promise<number> =>
  (await store.db.selectFrom('inbox').select('id').execute()).length;

describe('a source that sends too much', () => {
  it('is told to come back, and a share on top is kept for what is critical', async () => {
    await using world = await openWorld();
    const inbox = limited(world, { perSource: { most: 10, windowMs: 60_000 } });
    await using served = await serveIngest({ inbox, clock: world.clock }, sources);
    const post = async (id: string, severity?: string) => {
      const body = alert(id, severity);
      return served.post('generic', body, genericHeaders(SECRET, body, NOW));
    };
    for (let i = 0; i < 10; i += 1) expect((await post(`a-${i}`)).status).toBe(202);
    const refused = await post('a-10');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(6);
    expect((await post('a-11', 'critical')).status).toBe(202);
    expect((await post('a-12', 'critical')).status).toBe(429);
    expect(await rows(world)).toBe(11);
    world.clock.advance(12_000);
    expect((await post('a-10')).status).toBe(202);
  });

  it('cannot grow the inbox by replaying one captured body under ever new delivery ids, which GitHub does not sign', async () => {
    await using world = await openWorld();
    const inbox = limited(world, { perSource: { most: 20, windowMs: 60_000 } });
    await using served = await serveIngest({ inbox, clock: world.clock }, sources);
    const body = fixture('github-alert-created.json');
    const answers: number[] = [];
    for (let i = 0; i < 60; i += 1)
      answers.push((await served.post('github', body, githubHeaders(SECRET, body, { delivery: randomUUID() }))).status);
    expect(answers.filter((status) => status === 202).length).toBeLessThanOrEqual(22);
    expect(answers.filter((status) => status === 429).length).toBeGreaterThanOrEqual(38);
    expect(await rows(world)).toBeLessThanOrEqual(22);
    expect((await world.received()).length).toBeLessThanOrEqual(22 + 20); // and the refusals do not grow the ledger either
  });

  it('is not held to what another one sent', () => {
    const rates = new SourceRates({ most: 1, windowMs: 1_000 }, 0);
    expect([rates.take('a', false, 0), rates.take('b', false, 0), rates.take('a', false, 0)]).toEqual([0, 0, 1_000]);
  });
});

describe('a full inbox', () => {
  it('answers 503 with Retry-After, takes critical alerts a little longer, and goes on once there is room', async () => {
    await using world = await openWorld();
    const inbox = limited(world, { most: 10 });
    await using served = await serveIngest({ inbox, clock: world.clock }, sources);
    const post = async (id: string, severity?: string) => {
      const body = alert(id, severity);
      return served.post('generic', body, genericHeaders(SECRET, body, NOW));
    };
    for (let i = 0; i < 10; i += 1) expect((await post(`a-${i}`)).status).toBe(202);
    const refused = await post('a-10');
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('30');
    expect(((await refused.json()) as { detail: string }).detail).toContain('TOURNIQUET_INBOX_MAX');
    expect((await post('a-11', 'critical')).status).toBe(202);
    expect((await post('a-12', 'critical')).status).toBe(503);
    for (let i = 0; i < 2; i += 1) {
      const item = await inbox.next();
      await world.ledger.commit((tx) => inbox.done(tx, item?.id ?? ''));
    }
    expect((await post('a-10')).status).toBe(202);
    expect(inbox.received()).toEqual([
      { source: 'generic', outcome: 'accepted', count: 12 },
      { source: 'generic', outcome: 'rejected', count: 2 },
    ]);
  });
});

describe('uploads', () => {
  it('hold no more at once than they may, in all and for each address', () => {
    const uploads = new Uploads({ most: 10, mostPerPeer: 6 });
    const first = uploads.reserve('a', 6);
    expect(first).not.toBeNull();
    expect(uploads.reserve('a', 1)).toBeNull();
    expect(uploads.reserve('b', 5)).toBeNull();
    expect(uploads.reserve('b', 4)).not.toBeNull();
    first?.();
    expect(uploads.reserve('a', 6)).not.toBeNull();
  });

  it('that would be too much are answered 503 while the others go on', async () => {
    await using world = await openWorld();
    const uploads = new Uploads({ most: 2_000, mostPerPeer: 2_000 });
    await using served = await serveIngest(world, sources, { uploads });
    const slow = connect(served.port, '127.0.0.1');
    await once(slow, 'connect');
    slow.write('POST /webhooks/generic HTTP/1.1\r\nhost: x\r\ncontent-length: 1900\r\n\r\n{');
    const body = alert('a-1');
    const post = () => served.post('generic', body, genericHeaders(SECRET, body, NOW));
    let answer = await post();
    while (answer.status === 202) answer = await post(); // until the slow one was seen
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    slow.destroy();
    while (answer.status === 503) answer = await post(); // until its end was seen
    expect(answer.status).toBe(202);
  });
});
