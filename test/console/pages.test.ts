import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { decide } from '../../src/decisions/approve.ts';
import { answerStep } from '../../src/decisions/help.ts';
import { Visitor } from './http.ts';
import {
  openWorld,
  planShaOf,
  runOf,
  type Served,
  serveConsole,
  tellContained,
  tellGuided,
  tellStory,
  type World,
} from './world.ts';

let world: World;
let served: Served;
const open = async (mode: 'live' | 'sandbox' | 'drill' = 'sandbox') => {
  world = await openWorld(mode);
  served = await serveConsole(world);
};
const show = async (path: string): Promise<string> => (await new Visitor(served.url).get(path)).text();
const approve = (number: number) =>
  decide(world.desk, {
    run: runOf(number),
    planSha256: planShaOf({ number }),
    verdict: 'approve',
    authn: 'console:ana',
  });

beforeEach(() => open());
afterEach(async () => {
  await served.close();
  await world.store.close();
});

describe('the list', () => {
  it('says what to do next when there is nothing to show', async () => {
    expect(await show('/')).toContain('npx tourniquet drill');
  });
  it('shows open incidents before closed ones, with how they stand', async () => {
    await tellStory(world, { number: 1 });
    await tellStory(world, { number: 2, title: 'Closed already' });
    await world.store.db
      .updateTable('incident')
      .set({ state: 'closed', closed_at: world.clock.now().toISOString() })
      .where('number', '=', 2)
      .execute();
    const page = await show('/');
    expect(page.indexOf('INC-1')).toBeLessThan(page.indexOf('INC-2'));
    expect(page).toContain('waits for approval');
  });
});

describe('the banner', () => {
  it.each([
    ['sandbox', 'nothing here touches a real provider'],
    ['drill', 'everything here is simulated'],
  ] as const)('says in a %s that nothing is real', async (mode, words) => {
    await served.close();
    await open(mode);
    expect(await show('/')).toContain(words);
  });
  it('is absent when everything is real', async () => {
    await served.close();
    await open('live');
    const page = await show('/');
    expect(page).toContain('<h1>Incidents</h1>');
    expect(page).not.toContain('class="banner');
  });
});

describe('an incident', () => {
  it('says what leaked, where, that it is not contained, who must approve and why, and what cannot be undone', async () => {
    await tellStory(world, { number: 1 });
    const page = await show('/incidents/INC-1');
    expect(page).toContain('NOT contained; waiting for 1 approval of lead or approver');
    expect(page).toContain('acme/web: deploy.env line 3');
    expect(page).toContain('the user is tagged production');
    expect(page).toMatch(/Cannot be undone:<\/strong> Delete the old key/);
  });
  it('shows, once contained, the time that it took and the state before and after each step', async () => {
    await tellStory(world, { number: 1 });
    await approve(1);
    await tellContained(world, 1);
    const page = await show('/incidents/INC-1');
    expect(page).toMatch(/Contained, verified at the provider<\/span>\s*<time datetime="2026-03-01T09:00:12.000Z"/);
    expect(page).toContain('after 12 s');
    expect(page).toMatch(/<dt>status<\/dt><dd>Active<\/dd>.*<dt>status<\/dt><dd>Inactive<\/dd>/s);
  });
  it('lists its entries with their leaf hashes, the head of the log, and how to check both', async () => {
    await tellStory(world, { number: 1 });
    const page = await show('/incidents/INC-1');
    const rows = await world.store.db.selectFrom('ledger').select(['leaf']).execute();
    expect(rows.length).toBeGreaterThan(5);
    for (const { leaf } of rows) expect(page).toContain(leaf);
    expect(page).toContain((await world.ledger.head()).root);
    expect(page).toContain('npx tourniquet custody export INC-1');
  });
  it('is found by its number alone, and says so when there is none', async () => {
    await tellStory(world, { number: 7 });
    expect(await show('/incidents/7')).toContain('INC-7');
    expect((await new Visitor(served.url).get('/incidents/INC-8')).status).toBe(404);
  });
});

describe('text that a stranger wrote', () => {
  const payloads = [
    '<script>alert(1)</script>',
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus=alert(1) x='",
    '</textarea><svg onload=alert(1)>',
  ];
  it.each(payloads)('stays text wherever it appears: %s', async (payload) => {
    await tellStory(world, { number: 1, title: payload, location: payload });
    await approve(1);
    await tellContained(world, 1);
    await tellGuided(world, 1);
    const answered = await answerStep(world.desk, {
      run: runOf(1),
      step: 'rotate/ci',
      answer: payload,
      authn: 'console:ana',
    });
    expect(answered).toMatchObject({ ok: true });
    for (const path of ['/', '/incidents/INC-1', '/ledger']) {
      const page = await show(path);
      expect(page).toContain('alert(1)');
      expect(page).not.toContain(payload);
    }
  });
  it('makes no link of anything but the web', async () => {
    await tellStory(world, { number: 1, location: 'click me', locationUrl: 'javascript:alert(1)' });
    const page = await show('/incidents/INC-1');
    expect(page).toContain('click me');
    expect(page).not.toContain('javascript:');
  });
  it('cannot turn the reading direction', async () => {
    await tellStory(world, { number: 1, title: 'safe \u202egnihtemos' });
    for (const path of ['/', '/incidents/INC-1']) expect(await show(path)).not.toContain('\u202e');
  });
});

describe('the ledger', () => {
  it('shows the newest hundred entries and the head', async () => {
    for (const number of Array.from({ length: 15 }, (_, index) => index + 1)) await tellStory(world, { number });
    const page = await show('/ledger');
    const rows = await world.store.db.selectFrom('ledger').select(['seq', 'leaf']).orderBy('seq', 'desc').execute();
    expect(rows.length).toBeGreaterThan(100);
    expect(page).toContain(rows[99]?.leaf);
    expect(page).not.toContain(rows[100]?.leaf);
    expect(page).toContain((await world.ledger.head()).root);
  });
  it('says, rather than shows, that an entry was changed behind its back', async () => {
    await tellStory(world, { number: 1 });
    await world.store.db
      .updateTable('ledger')
      .set({ bytes: Buffer.from('{}') })
      .where('seq', '=', 0)
      .execute();
    const response = await new Visitor(served.url).get('/ledger');
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('stop, keep a copy');
    expect(String(world.troubles[0])).toContain('Entry 0 was changed');
  });
});
