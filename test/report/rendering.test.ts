import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { toHtml } from '../../src/report/html.ts';
import { toMarkdown } from '../../src/report/markdown.ts';
import { reportOf } from '../../src/report/report.ts';
import { launchBrowser } from '../browser.ts';
import { faultsOf } from '../console/accessible.ts';
import { HEAD, HOSTILE, type StoryOptions, storyOf } from './story.ts';

const holdingOf = () => ({ owner: 'team web', consumers: ['the nightly job'], params: {} });
const report = (options: StoryOptions = {}) => reportOf({ ...storyOf(options), head: HEAD, holdingOf });

describe('the report in Markdown', () => {
  it('has every part', () => {
    const headings = toMarkdown(report()).match(/^##? .*$/gm);
    expect(headings).toEqual([
      '# INC-7: AWS key in acme/web',
      '## Summary',
      '## Impact',
      '## Times',
      '## Timeline',
      '## Who decided what',
      '## What cannot be undone',
      '## What did not go well at once',
      '## What was taken back',
      '## Follow-ups',
      '## How to verify this',
    ]);
  });

  it.each(HOSTILE)('keeps its structure whatever a stranger wrote: %j', (hostile) => {
    const shape = (text: string) =>
      text
        .split('\n')
        .map((line) => `${/^(#+|\||- \[ \]|-|>|```)?/.exec(line)?.[0]} ${line.match(/(?<!\\)\|/g)?.length ?? 0}`);
    const [plain, attacked] = [toMarkdown(report()), toMarkdown(report({ hostile }))];
    expect(shape(attacked)).toEqual(shape(plain));
    expect(attacked).not.toMatch(/<(?!https:\/\/github\.com\/acme)[a-z/!]/i); // no HTML and no autolink; ours is the one link
    expect(attacked).not.toMatch(/(?<!\\)\]\((?!<https:\/\/github\.com\/acme)/);
    expect(attacked).not.toMatch(/(?<![(<\\])\bhttps?:\/\//);
    for (const mark of ['\u202e', '\u0000', '\u001b']) expect(attacked).not.toContain(mark);
  });
});

describe('the report as a page', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  const look = async (html: string, colorScheme: 'light' | 'dark', width: number) => {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, offline: true });
    const page = await context.newPage();
    const wrong: string[] = [];
    page.on('console', (message) => wrong.push(message.text()));
    page.on('pageerror', (error) => wrong.push(String(error)));
    page.on('dialog', (dialog) => wrong.push(`a dialog: ${dialog.message()}`));
    page.on('request', (request) => {
      if (!request.url().startsWith('data:') && request.url() !== 'about:blank')
        wrong.push(`asked for ${request.url()}`);
    });
    await page.setContent(html, { waitUntil: 'load' });
    return { page, wrong };
  };

  it.each([
    ['light', 1_280],
    ['light', 390],
    ['dark', 1_280],
    ['dark', 390],
  ] as const)('can be read by everyone, in a %s scheme at %i pixels', async (scheme, width) => {
    const { page, wrong } = await look(toHtml(report({ hostile: ' of the nightly build' })), scheme, width);
    expect(await faultsOf(page)).toEqual([]);
    expect(wrong).toEqual([]);
    const styled = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    expect(styled).toBe(scheme === 'dark' ? 'rgb(13, 17, 23)' : 'rgb(255, 255, 255)');
    const shots = process.env.TOURNIQUET_SCREENSHOTS;
    if (shots !== undefined) {
      mkdirSync(join(tmpdir(), shots), { recursive: true });
      await page.screenshot({ path: join(tmpdir(), shots, `report-${scheme}-${width}.png`), fullPage: true });
    }
    await page.context().close();
  });

  it('shows what strangers wrote as text: nothing runs, nothing is fetched, nothing is added', async () => {
    const tags = async (html: string) => {
      const { page, wrong } = await look(html, 'light', 1_280);
      const found = await page.evaluate("[...document.querySelectorAll('*')].map((each) => each.tagName).join(' ')");
      const links = await page.evaluate("[...document.links].map((each) => each.protocol + each.host).join(' ')");
      const shown = await page.innerText('body');
      await page.context().close();
      return { found, links, wrong, shown };
    };
    const plain = await tags(toHtml(report()));
    const attacked = await tags(toHtml(report({ hostile: HOSTILE.join(' ') })));
    expect(attacked.found).toBe(plain.found);
    expect(attacked.links).toBe(plain.links);
    expect(attacked.wrong).toEqual([]);
    expect(attacked.shown).toContain('<script>alert(1)</script>');
  });

  it('carries a policy under which its own style counts and nothing else does', () => {
    const html = toHtml(report());
    expect(html).toMatch(/default-src &#39;none&#39;; style-src &#39;sha256-/);
    expect(html).not.toMatch(/unsafe-inline|<script| style="/);
  });

  it('says so when it was no real incident', () => {
    expect(toHtml({ ...report(), mode: 'drill' })).toContain('Not a real incident.');
    expect(toHtml(report())).not.toContain('Not a real incident.');
  });
});
