import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/custody/ledger.ts';
import { createInbox } from '../../src/ingest/inbox.ts';
import { GITHUB_TOKEN } from './samples.ts';
import { openWorld, type World } from './world.ts';

const request = (body = '{}') => ({
  headers: { 'x-github-event': 'ping', 'x-hub-signature-256': 'sha256=00', authorization: 'x' },
  body: Buffer.from(body),
});
const arrival = (delivery: string, body?: string) => ({ source: 'github', delivery, request: request(body) });
const take = async ({ inbox, ledger }: World): Promise<string | undefined> => {
  const item = await inbox.next();
  if (item) await ledger.commit((tx) => inbox.done(tx, item.id));
  return item?.delivery;
};

describe('the inbox', () => {
  it('keeps an accepted alert, with its entry, until it is done', async () => {
    await using world = await openWorld();
    const received = await world.inbox.accept({ ...arrival('d1', '{"a":1}'), severity: 'high' });
    expect(received).toEqual({ id: expect.any(String), status: 'accepted' });
    const item = await world.inbox.next();
    expect(item).toMatchObject({ id: received.id, source: 'github', delivery: 'd1', severity: 'high', attempts: 0 });
    expect(await world.received()).toMatchObject([
      {
        source: 'github',
        delivery: 'd1',
        outcome: 'accepted',
        status: 202,
        size: 7,
        bodyFp: expect.stringMatching(/^hmac256:/),
      },
    ]);
    expect(item && world.inbox.open(item)).toEqual({
      headers: { 'x-github-event': 'ping' },
      body: Buffer.from('{"a":1}'),
    });
  });

  it('recognises a redelivery, before and after triage, and stores it once', async () => {
    await using world = await openWorld();
    const first = await world.inbox.accept({ ...arrival('d1'), severity: 'high' });
    const again = { id: first.id, status: 'duplicate' };
    expect(await world.inbox.accept({ ...arrival('d1'), severity: 'high' })).toEqual(again);
    expect(await take(world)).toBe('d1');
    expect(await world.inbox.accept({ ...arrival('d1'), severity: 'high' })).toEqual(again);
    expect(await world.inbox.next()).toBeNull();
    expect((await world.received()).map(({ outcome }) => outcome)).toEqual(['accepted', 'duplicate', 'duplicate']);
  });

  it('takes the same delivery id of another source for another alert', async () => {
    await using world = await openWorld();
    await world.inbox.accept({ ...arrival('d1'), severity: 'low' });
    const other = await world.inbox.accept({ ...arrival('d1'), source: 'sns', severity: 'low' });
    expect(other.status).toBe('accepted');
  });

  it('lets one of many simultaneous deliveries in', async () => {
    await using world = await openWorld();
    const all = await Promise.all(
      Array.from({ length: 8 }, () => world.inbox.accept({ ...arrival('d1'), severity: 'low' })),
    );
    expect(all.filter(({ status }) => status === 'accepted')).toHaveLength(1);
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
  });

  it('hands out the most severe first and the oldest of those', async () => {
    await using world = await openWorld();
    for (const [delivery, severity] of [
      ['a', 'low'],
      ['b', 'critical'],
      ['c', 'medium'],
      ['d', 'critical'],
      ['e', 'high'],
    ] as const) {
      await world.inbox.accept({ ...arrival(delivery), severity });
      world.clock.advance(1);
    }
    const order = [];
    for (let next = await take(world); next; next = await take(world)) order.push(next);
    expect(order).toEqual(['b', 'd', 'e', 'c', 'a']);
  });

  it('hands an item out again later, and not before', async () => {
    await using world = await openWorld();
    const { inbox, ledger, clock } = world;
    const { id } = await inbox.accept({ ...arrival('d1'), severity: 'high' });
    await ledger.commit((tx) => inbox.later(tx, id, new Date(clock.now().getTime() + 1_000)));
    expect(await inbox.next()).toBeNull();
    clock.advance(1_000);
    expect(await inbox.next()).toMatchObject({ id, attempts: 1 });
  });

  it('keeps what is stuck out of the way, with its body, for a person', async () => {
    await using world = await openWorld();
    const { inbox, ledger, store } = world;
    const { id } = await inbox.accept({ ...arrival('d1'), severity: 'high' });
    await ledger.commit((tx) => inbox.stuck(tx, id, `cannot read ${GITHUB_TOKEN}`));
    expect(await inbox.next()).toBeNull();
    const row = await store.db.selectFrom('inbox').selectAll().executeTakeFirstOrThrow();
    expect(row).toMatchObject({ state: 'stuck', because: 'cannot read [secret removed]', body: expect.any(Buffer) });
  });

  it('erases the body once done, and lets only one finish it', async () => {
    await using world = await openWorld();
    const { inbox, ledger, store } = world;
    const { id } = await inbox.accept({ ...arrival('d1'), severity: 'high' });
    expect(await ledger.commit((tx) => inbox.done(tx, id))).toBe(true);
    expect(await ledger.commit((tx) => inbox.done(tx, id))).toBe(false);
    expect(await store.db.selectFrom('inbox').select(['state', 'body']).execute()).toEqual([
      { state: 'done', body: null },
    ]);
  });

  it('undoes "done" when what triage decided is not committed', async () => {
    await using world = await openWorld();
    const { inbox, ledger } = world;
    const { id } = await inbox.accept({ ...arrival('d1'), severity: 'high' });
    const refusal = ledger.commit(async (tx) => {
      await inbox.done(tx, id);
      throw new Error('the decision was refused');
    });
    await expect(refusal).rejects.toThrow('refused');
    expect(await inbox.next()).toMatchObject({ id });
  });

  it('refuses a body that was swapped for that of another row', async () => {
    await using world = await openWorld();
    const { inbox } = world;
    const one = await inbox.accept({ ...arrival('d1'), severity: 'critical' });
    await inbox.accept({ ...arrival('d2'), severity: 'low' });
    const item = await inbox.next();
    expect(item?.id).toBe(one.id);
    expect(() => inbox.open({ id: 'another', body: item?.body ?? Buffer.alloc(0) })).toThrow();
  });

  it('records what asks for nothing and keeps nothing of it', async () => {
    await using world = await openWorld();
    await world.inbox.note({ ...arrival('d1', '{"zen":1}'), because: 'a ping' });
    expect(await world.inbox.next()).toBeNull();
    expect(await world.received()).toMatchObject([{ outcome: 'accepted', because: 'a ping' }]);
    expect(await world.store.db.selectFrom('inbox').select('body').execute()).toEqual([{ body: null }]);
  });
});

describe('refusals', () => {
  const rejection = { source: 'github', status: 401, because: 'no signature', size: 10 };

  it('each have an entry, up to a number a minute, and then one entry for all', async () => {
    await using world = await openWorld();
    for (let i = 0; i < 1_000; i += 1) await world.inbox.reject(rejection);
    expect(await world.received()).toHaveLength(20);
    world.clock.advance(60_000);
    await world.inbox.flush();
    const entries = await world.received();
    expect(entries).toHaveLength(21);
    expect(entries.at(-1)).toMatchObject({
      outcome: 'rejected',
      size: 9_800,
      because: expect.stringContaining('980 more'),
    });
    await world.inbox.reject(rejection);
    expect(await world.received()).toHaveLength(22);
  });

  it('tell what they missed with the next refusal of any source, even when nobody flushes', async () => {
    await using world = await openWorld();
    for (let i = 0; i < 25; i += 1) await world.inbox.reject(rejection);
    world.clock.advance(60_000);
    await world.inbox.reject({ ...rejection, source: 'sns' });
    expect((await world.received()).slice(20)).toMatchObject([
      { because: expect.stringContaining('5 more') },
      { source: 'sns' },
    ]);
  });

  it('that nobody could write down are told once the ledger can be written again', async () => {
    await using world = await openWorld();
    let full = false;
    const ledger: Ledger = {
      ...world.ledger,
      commit: (change) => (full ? Promise.reject(new Error('disk full')) : world.ledger.commit(change)),
    };
    const inbox = createInbox({ ...world, ledger, db: world.store.db, random: randomUUID });
    for (let i = 0; i < 25; i += 1) await inbox.reject(rejection);
    world.clock.advance(60_000);
    full = true;
    await expect(inbox.reject(rejection)).rejects.toThrow('disk full');
    await expect(inbox.flush('all')).rejects.toThrow('disk full');
    full = false;
    await inbox.flush('all');
    expect((await world.received()).at(-1)).toMatchObject({ because: expect.stringContaining('5 more') });
  });

  it('of one source leave room for another', async () => {
    await using world = await openWorld();
    for (let i = 0; i < 50; i += 1) await world.inbox.reject(rejection);
    await world.inbox.reject({ ...rejection, source: 'sns' });
    expect((await world.received()).map(({ source }) => source)).toContain('sns');
  });

  it('that were only counted are all told at exit', async () => {
    await using world = await openWorld();
    for (let i = 0; i < 21; i += 1) await world.inbox.reject(rejection);
    await world.inbox.flush();
    expect(await world.received()).toHaveLength(20);
    await world.inbox.flush('all');
    expect((await world.received()).at(-1)).toMatchObject({ because: expect.stringContaining('1 more') });
  });

  it('by replays of one delivery are bounded as well', async () => {
    await using world = await openWorld();
    for (let i = 0; i < 100; i += 1) await world.inbox.accept({ ...arrival('d1'), severity: 'low' });
    expect((await world.received()).length).toBeLessThanOrEqual(21);
  });

  it('quote no secret', async () => {
    await using world = await openWorld();
    await world.inbox.reject({ ...rejection, because: `unknown field ${GITHUB_TOKEN}` });
    expect((await world.received())[0]?.because).toBe('unknown field [secret removed]');
  });
});
