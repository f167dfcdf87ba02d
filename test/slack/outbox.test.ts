import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import {
  type Case,
  CHANNEL,
  contained,
  type FakeSlack,
  freePort,
  openAnswers,
  openCase,
  openSlack,
  readable,
  type Served,
  serve,
} from './scene.ts';

const SCOPES = ['commands', 'chat:write', 'channels:history'];
const services = {
  revoke: async () => ({ ok: true, said: '' }) as const,
  plan: async () => ({ ok: true, lines: [] }) as const,
  drill: async () => ({ ok: true, said: '' }) as const,
};

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function begin(apiUrl: string, opened?: Case): Promise<{ opened: Case; served: Served }> {
  const scene = opened ?? (await openCase());
  if (!opened) closers.push(() => scene.store.close());
  const answers = await openAnswers();
  closers.push(answers.close);
  const served = await serve(scene, { apiUrl, services, answers });
  closers.push(served.close);
  return { opened: scene, served };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server listens on no port');
  return address.port;
}

async function emulator(scopes: readonly string[] = SCOPES, port?: number): Promise<FakeSlack> {
  const fake = await openSlack(scopes, port);
  closers.push(fake.close);
  return fake;
}

const cardIn = async (fake: FakeSlack) => {
  const all = (await fake.history()).filter((message) => message.text.startsWith('INC-'));
  const [only] = all;
  if (!only || all.length > 1) throw new Error(`${all.length} cards stand in the channel`);
  return only;
};

describe('the outbox', () => {
  it('posts one card, updates it in place, and tells what happened in its thread', async () => {
    const fake = await emulator();
    const { opened, served } = await begin(fake.url);
    await opened.open(12);
    expect(await served.slack.outbox.tick()).toEqual({ posted: 1, updated: 0, replied: 1, failed: 0 });
    const first = await cardIn(fake);
    expect(first.text).toContain('NOT contained');

    await opened.tell('inc-12', ...contained('run-12'));
    expect(await served.slack.outbox.tick()).toEqual({ posted: 0, updated: 1, replied: 1, failed: 0 });
    const second = await cardIn(fake);
    expect(second.ts).toBe(first.ts);
    expect(second.text).not.toContain('NOT contained');

    const [opening, containment, ...others] = await fake.replies(first.ts);
    expect(others).toEqual([]);
    expect(readable(opening?.blocks ?? [])).toMatchInlineSnapshot(`
      "03:12:01 UTC ✗ github reports: AWS access key in a public repository (public: anyone can read it)
      03:12:01 UTC · Working on aws.access-key key-of-deploy with the runbook leaked-aws-access-key
      03:12:01 UTC · Plan ready: 4 steps, 1 of which cannot be undone"
    `);
    expect(readable(containment?.blocks ?? [])).toMatchInlineSnapshot(`
      "03:12:03 UTC · Containment began: approved by ana
      03:12:03 UTC ✓ Done: Disable the access key of deploy
      03:12:03 UTC ✓ Proved dead at the provider: AWS refuses the key
      03:12:03 UTC ✓ Contained: 2 of 2 steps done"
    `);
    expect(await served.slack.outbox.tick()).toEqual({ posted: 0, updated: 0, replied: 0, failed: 0 });
  });

  it('shows the most severe incident first, and sends at most one message a second', async () => {
    const fake = await emulator();
    const { opened, served } = await begin(fake.url);
    for (const n of [1, 2, 3]) await opened.open(n, { severity: n === 3 ? 'critical' : 'low' });
    const before = opened.clock.now().getTime();
    expect(await served.slack.outbox.tick()).toEqual({ posted: 3, updated: 0, replied: 3, failed: 0 });
    expect(opened.clock.now().getTime() - before).toBeGreaterThanOrEqual(5_000);
    const cards = (await fake.history()).toSorted((a, b) => Number(a.ts) - Number(b.ts));
    expect(cards.map((each) => each.text.slice(0, 5))).toEqual(['INC-3', 'INC-1', 'INC-2']);
  });

  it('keeps what happened while Slack was down and shows it once when Slack is back', async () => {
    const port = await freePort();
    const { opened, served } = await begin(`http://127.0.0.1:${port}`);
    await opened.open(12);
    expect(await served.slack.outbox.tick()).toMatchObject({ posted: 0, failed: 1 });
    await opened.tell('inc-12', ...contained('run-12'));
    expect(await served.slack.outbox.tick()).toMatchObject({ posted: 0, failed: 1 });
    const fake = await emulator(SCOPES, port);
    expect(await served.slack.outbox.tick()).toMatchObject({ posted: 1, failed: 0 });
    expect((await cardIn(fake)).text).toContain('Contained');
  });

  it('finds the card again when the process died between posting it and noting where it stands', async () => {
    const fake = await emulator();
    const { opened, served } = await begin(fake.url);
    await opened.open(12);
    await served.slack.outbox.tick();
    const posted = await cardIn(fake);
    await opened.store.db.updateTable('card').set({ ts: '', revision: 0, told_seq: -1 }).execute();
    expect(await served.slack.outbox.tick()).toMatchObject({ failed: 0 });
    expect((await cardIn(fake)).ts).toBe(posted.ts);
    const row = await opened.store.db.selectFrom('card').selectAll().executeTakeFirstOrThrow();
    expect(row.ts).toBe(posted.ts);
  });

  it('posts no second card when Slack took the first and its answer was lost on the way', async () => {
    const fake = await emulator();
    let lost = 0;
    const proxy = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(Buffer.from(chunk));
      const { authorization = '', 'content-type': type = '' } = request.headers;
      const headers = { authorization, 'content-type': type };
      const answer = await fetch(`${fake.url}${request.url}`, { method: 'POST', headers, body: Buffer.concat(chunks) });
      const body = await answer.text();
      if (request.url?.endsWith('chat.postMessage') && lost === 0) {
        lost += 1;
        response.destroy();
      } else response.writeHead(answer.status, { 'content-type': 'application/json' }).end(body);
    });
    const { opened, served } = await begin(`http://127.0.0.1:${await listening(proxy)}`);
    await opened.open(12);
    expect(await served.slack.outbox.tick()).toMatchObject({ posted: 0, failed: 1 });
    expect(await served.slack.outbox.tick()).toMatchObject({ failed: 0 });
    expect(lost).toBe(1);
    expect((await cardIn(fake)).text).toContain('INC-12');
  });

  it('takes no one else’s message for its card, whatever metadata it carries', async () => {
    const fake = await emulator();
    const { opened, served } = await begin(fake.url);
    await opened.open(12);
    await opened.store.db
      .insertInto('card')
      .values({ incident: 'inc-12', channel: CHANNEL, ts: '', revision: 0, told_seq: -1 })
      .execute();
    await fake.post({
      text: 'not ours',
      metadata: { event_type: 'tourniquet_incident', event_payload: { incident: 'inc-12' } },
    });
    expect(await served.slack.outbox.tick()).toMatchObject({ posted: 1, failed: 0 });
    expect((await cardIn(fake)).text).toContain('INC-12');
  });

  it('posts the card twice rather than not at all where it may not read the history', async () => {
    const fake = await emulator(['commands', 'chat:write']);
    const { opened, served } = await begin(fake.url);
    await opened.open(12);
    await opened.store.db
      .insertInto('card')
      .values({ incident: 'inc-12', channel: CHANNEL, ts: '', revision: 0, told_seq: -1 })
      .execute();
    expect(await served.slack.outbox.tick()).toMatchObject({ posted: 1, failed: 0 });
    expect(served.logs.join()).toContain('missing_scope');
  });

  it('posts a card anew when someone deleted it', async () => {
    const fake = await emulator();
    const { opened, served } = await begin(fake.url);
    await opened.open(12);
    await served.slack.outbox.tick();
    await opened.store.db.updateTable('card').set({ ts: '1.000001' }).execute();
    await opened.tell('inc-12', ...contained('run-12'));
    expect(await served.slack.outbox.tick()).toMatchObject({ failed: 1 });
    expect(await served.slack.outbox.tick()).toMatchObject({ posted: 1, failed: 0 });
  });

  it('waits as long as Slack says when there was too much', async () => {
    let calls = 0;
    const server = createServer((request, response) => {
      request.resume();
      calls += 1;
      response.writeHead(429, { 'retry-after': '30' }).end();
    });
    const port = await listening(server);
    const { opened, served } = await begin(`http://127.0.0.1:${port}`);
    await opened.open(1);
    await opened.open(2);
    expect(await served.slack.outbox.tick()).toMatchObject({ posted: 0, failed: 2 });
    expect(calls).toBe(1);
    opened.clock.advance(20_000);
    expect(await served.slack.outbox.tick()).toMatchObject({ failed: 2 });
    expect(calls).toBe(1);
    opened.clock.advance(10_000);
    await served.slack.outbox.tick();
    expect(calls).toBe(2);
  });

  it('says nothing of an incident that was over long before Slack was set up', async () => {
    const fake = await emulator();
    const { opened, served } = await begin(fake.url);
    await opened.open(12);
    const closed_at = opened.clock.now().toISOString();
    await opened.store.db.updateTable('incident').set({ state: 'closed', closed_at }).execute();
    opened.clock.advance(25 * 3_600_000);
    expect(await served.slack.outbox.tick()).toEqual({ posted: 0, updated: 0, replied: 0, failed: 0 });
    expect(await fake.history()).toEqual([]);
  });

  it('shows a commit by itself while it runs, and ends when told to', async () => {
    const fake = await emulator();
    const { opened, served } = await begin(fake.url);
    served.slack.start();
    await opened.open(12);
    for (let i = 0; i < 500 && (await fake.history()).length === 0; i += 1)
      await new Promise((resolve) => setTimeout(resolve, 10));
    expect((await cardIn(fake)).text).toContain('INC-12');
    await served.slack.stop();
  });
});
