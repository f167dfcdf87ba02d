import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openLedger } from '../../src/custody/ledger.ts';
import { heartbeat, ORIGIN } from '../custody/fixture.ts';
import { Visitor } from './http.ts';
import { openWorld, type Served, serveConsole, tellContained, tellStory, type World } from './world.ts';

let world: World;
let served: Served;
let listeners: number;
beforeEach(async () => {
  const opened = await openWorld();
  listeners = 0;
  const ledger: World['ledger'] = {
    ...opened.ledger,
    onAppend(listener) {
      const stop = opened.ledger.onAppend(listener);
      listeners += 1;
      return () => {
        listeners -= 1;
        stop();
      };
    },
  };
  world = { ...opened, ledger, desk: { ...opened.desk, ledger } };
  await tellStory(world, { number: 1 });
  await tellStory(world, { number: 2 });
  served = await serveConsole(world, { tickMs: 3_600_000 });
});
afterEach(async () => {
  await served.close();
  await world.store.close();
});

async function listen(path: string, url = served.url) {
  const response = await new Visitor(url).get(path);
  expect(response.headers.get('content-type')).toContain('text/event-stream');
  const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
  const decoder = new TextDecoder();
  const hear = async (): Promise<string> => {
    const { value, done } = await reader.read();
    return done ? 'END' : decoder.decode(value);
  };
  expect(await hear()).toContain('retry:');
  return { hear, leave: () => reader.cancel() };
}

it('tells a page of one incident of its own changes only', async () => {
  const { hear, leave } = await listen('/incidents/INC-1/live');
  await tellContained(world, 2);
  const heard = hear();
  await tellContained(world, 1);
  expect(await heard).toContain('event: changed');
  await leave();
});

it('tells no page what changed, so that it must ask and be allowed', async () => {
  const { hear, leave } = await listen('/live');
  await world.ledger.commit(async (_tx, append) => append(heartbeat));
  expect(await hear()).toBe('event: changed\ndata:\n\n');
  await leave();
});

it('tells of what another process wrote', async () => {
  const other = await serveConsole(world, { tickMs: 20 });
  const { hear, leave } = await listen('/live', other.url);
  expect(await hear()).toBe(':\n\n'); // nothing new: only that the connection lives
  const tool = { name: 'tourniquet', version: '0.1.0', configSha256: '0'.repeat(64) };
  const elsewhere = await openLedger({ ...world, mode: 'sandbox', origin: ORIGIN, tool, random: randomUUID });
  await elsewhere.commit(async (_tx, append) => append(heartbeat));
  for (let heard = ''; !heard.includes('event: changed'); ) heard = await hear();
  await leave();
  await other.close();
});

it('ends when the session does', async () => {
  let known = true;
  const session = { howToEnter: '', personFor: async () => (known ? { authn: 'console:ana' } : null) };
  const other = await serveConsole(world, { session, tickMs: 20 });
  const { hear } = await listen('/live', other.url);
  known = false;
  let heard = '';
  while (!heard.includes('signed-out')) heard = await hear();
  expect(await hear()).toBe('END');
  await other.close();
});

it('stops listening when the page goes away', async () => {
  const { leave } = await listen('/live');
  expect(listeners).toBe(1);
  await leave();
  await expect.poll(() => listeners).toBe(0);
});

it('listens for nobody who only asks whether there is a stream', async () => {
  expect((await fetch(`${served.url}/live`, { method: 'HEAD' })).status).toBe(200);
  expect(listeners).toBe(0);
});
