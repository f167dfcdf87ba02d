import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { decide } from '../../src/decisions/approve.ts';
import { setFrozen } from '../../src/decisions/freeze.ts';
import { launchBrowser } from '../browser.ts';
import { faultsOf } from './accessible.ts';
import {
  openWorld,
  planShaOf,
  RULE,
  runOf,
  type Served,
  serveConsole,
  tellContained,
  tellGuided,
  tellNewPlan,
  tellStory,
  tellStuck,
  type World,
} from './world.ts';

let browser: Browser;
let world: World;
let served: Served;
let page: Page;
let errors: string[];
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser?.close());
beforeEach(async () => {
  world = await openWorld();
  served = await serveConsole(world);
  errors = [];
  page = await newPage();
});
afterEach(async () => {
  const found = errors;
  for (const context of browser.contexts()) await context.close();
  await served.close();
  await world.store.close();
  expect(found).toEqual([]); // a blocked script or style is an error too
});

async function newPage(look: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
  const made = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, ...look })).newPage();
  made.on('console', (message) => {
    if (message.type() === 'error') errors.push(message.text());
  });
  made.on('pageerror', (error) => errors.push(String(error)));
  return made;
}
const visit = async (path: string, on = page): Promise<void> => {
  await on.goto(served.url + path);
  await on.locator('#live', { hasText: 'Live' }).waitFor();
};
const approve = (number: number) =>
  decide(world.desk, {
    run: runOf(number),
    planSha256: planShaOf({ number }),
    verdict: 'approve',
    authn: 'console:ana',
  });
const verdicts = async (): Promise<readonly string[]> =>
  (await world.ledger.ofIncident('incident-1')).flatMap((entry) => (entry.type === 'approval' ? [entry.verdict] : []));

describe('a page that is open', () => {
  it('shows an incident that arrives, without a reload', async () => {
    await visit('/');
    await tellStory(world, { number: 1 });
    await page.getByRole('link', { name: /INC-1/ }).waitFor();
    await page.locator('#announce', { hasText: '1 open' }).waitFor({ state: 'attached' });
  });
  it('shows that the key was contained, and says it aloud', async () => {
    await tellStory(world, { number: 1 });
    await approve(1);
    await visit('/incidents/INC-1');
    await tellContained(world, 1);
    await page.locator('.standings', { hasText: 'Contained' }).waitFor();
    await page.locator('#announce', { hasText: 'INC-1: Contained' }).waitFor({ state: 'attached' });
  });
  it('takes away neither focus nor what was typed nor what was opened when something else changes', async () => {
    await tellStory(world, { number: 1 });
    await approve(1);
    await tellContained(world, 1);
    await visit('/incidents/INC-1');
    await page.getByText('Undo…').click();
    await page.getByLabel('Why it should be undone').fill('half a thought');
    await page.keyboard.press('ArrowLeft');
    await tellGuided(world, 1);
    await page.getByText('What did you change?').waitFor();
    await page.keyboard.type('!');
    await expect.poll(() => page.getByLabel('Why it should be undone').inputValue()).toBe('half a though!t');
  });
  it('does not change the plan under the eyes of whoever is about to approve it', async () => {
    await tellStory(world, { number: 1 });
    await visit('/incidents/INC-1');
    const changed = { number: 1, approval: { ...RULE, because: 'policy changed meanwhile' } };
    await tellNewPlan(world, changed);
    await page.locator('#live', { hasText: 'The plan has changed' }).waitFor();
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('has changed since you saw it').waitFor();
    expect(await verdicts()).toEqual([]);
    errors = errors.filter((error) => !error.includes('409'));
  });
  it('says when it is no longer live, and catches up by itself', async () => {
    await visit('/');
    const { port } = new URL(served.url);
    await served.close();
    await page.locator('#live', { hasText: 'Not connected' }).waitFor();
    await tellStory(world, { number: 1 });
    served = await serveConsole(world, { port: Number(port) });
    await page.getByRole('link', { name: /INC-1/ }).waitFor();
    errors = errors.filter((error) => !error.includes('ERR_'));
  });
});

describe('approving', () => {
  beforeEach(() => tellStory(world, { number: 1 }));

  it('takes a click, and is acknowledged', async () => {
    await visit('/incidents/INC-1');
    await page.getByRole('button', { name: 'Approve' }).click();
    await page.getByText('Approved. INC-1 goes on').waitFor();
    expect(await verdicts()).toEqual(['approve']);
    expect(new URL(page.url()).search).toBe('');
  });
  it('works from the list to the acknowledgement with the keyboard alone', async () => {
    await visit('/');
    const tabTo = async (name: string): Promise<void> => {
      for (let presses = 0; presses < 30; presses += 1) {
        await page.keyboard.press('Tab');
        if ((await page.locator(':focus').textContent())?.includes(name)) return;
      }
      throw new Error(`the Tab key never came to "${name}"`);
    };
    await tabTo('INC-1');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/incidents/INC-1');
    await tabTo('Go to the decision');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.type('owner called\n'); // a new line in the reason, not a decision
    expect(await verdicts()).toEqual([]);
    await tabTo('Approve');
    await page.keyboard.press('Enter');
    await page.getByText('Approved. INC-1 goes on').waitFor();
    expect(await verdicts()).toEqual(['approve']);
    expect(await page.locator(':focus').getAttribute('id')).toBe('notice');
  });
  it('works without JavaScript', async () => {
    const plain = await newPage({ javaScriptEnabled: false });
    await plain.goto(`${served.url}/incidents/INC-1`);
    await plain.getByRole('button', { name: 'Deny' }).click();
    await plain.getByText('Denied. INC-1 stays as it is.').waitFor();
    expect(await verdicts()).toEqual(['deny']);
  });
});

describe('every page', () => {
  const shots = join(tmpdir(), 'tourniquet-console');
  beforeAll(() => {
    mkdirSync(shots, { recursive: true });
  });
  const pages = {
    list: '/',
    approval: '/incidents/1',
    guided: '/incidents/2',
    stuck: '/incidents/3',
    ledger: '/ledger',
  };

  it.each([
    ['light', 360],
    ['dark', 360],
    ['light', 1280],
    ['dark', 1280],
  ] as const)('can be read and operated in %s at %i pixels, and never scrolls sideways', async (colorScheme, width) => {
    const seen = await newPage({ colorScheme, viewport: { width, height: 800 } });
    const look = async (name: string, path: string): Promise<void> => {
      await visit(path, seen);
      const closed = seen.locator('details:not([open]) > summary');
      while ((await closed.count()) > 0) await closed.first().click();
      expect(await faultsOf(seen), name).toEqual([]);
      await seen.screenshot({ path: join(shots, `${name}-${colorScheme}-${width}.png`), fullPage: true });
    };
    await look('empty', '/');
    await tellStory(world, { number: 1, title: 'unbroken-'.repeat(40), location: 'x'.repeat(300) });
    for (const number of [2, 3]) {
      await tellStory(world, { number });
      await approve(number);
    }
    await tellContained(world, 2);
    await tellGuided(world, 2);
    await tellStuck(world, 3);
    for (const [name, path] of Object.entries(pages)) await look(name, path);
    await setFrozen(world.desk, { frozen: true, authn: 'console:ana', why: 'a look at the banner' });
    await look('frozen', '/incidents/1');
  });
});
