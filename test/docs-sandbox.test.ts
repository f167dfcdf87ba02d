import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fence, fences, HOME } from './docs/markdown.ts';
import { PATIENCE_MS, type Server, serve, sh } from './docs/shell.ts';

const root = mkdtempSync(join(tmpdir(), 'tourniquet-docs-'));
let sandbox: Server;
beforeAll(async () => {
  copyFileSync(join(HOME, 'test/ingest/fixtures/gitleaks.json'), join(root, 'gitleaks.json'));
  sandbox = await serve(root, /INC-1 waits for/);
}, PATIENCE_MS);
afterAll(async () => {
  await sandbox?.stop();
  rmSync(root, { recursive: true });
});

/** What a line of the story says, without its times and without what is new each time. */
const sentenceOf = (line: string): string =>
  line.replace(/^.{8} UTC +\+\S+ \S+ {2}/, '').replace(/AKIA(\w+|…)/g, 'AKIA…');

describe('the pages, followed by a reader beside a running sandbox', { timeout: PATIENCE_MS }, () => {
  it('every command does what it says', async () => {
    const blocks = fences('sh', 'sandbox');
    expect(blocks.length).toBeGreaterThan(4);
    const said: string[] = [];
    for (const { page, line, text } of blocks) {
      const ran = await sh(text, root);
      expect(ran, `${page}:${line}`).toMatchObject({ status: 0 });
      said.push(ran.said);
    }
    const all = said.join('\n');
    for (const promised of ['Approved. INC-1 goes on: rotate, then retire.', 'VERIFIED, level SELF-SIGNED'])
      expect(all).toContain(promised);
  });
});

describe('what needs nothing', { timeout: PATIENCE_MS }, () => {
  it('works in an empty folder', async () => {
    for (const { page, line, text } of fences('sh', 'alone'))
      expect(await sh(text, mkdtempSync(join(root, 'alone-'))), `${page}:${line}`).toMatchObject({ status: 0 });
  });

  it('is a drill that says what the README shows, in that order, and meets every objective', async () => {
    const { text } = fence('sh', 'drill');
    const { status, said } = await sh(text, mkdtempSync(join(root, 'drill-')));
    expect({ status, said: status === 0 ? '' : said }).toEqual({ status: 0, said: '' });
    const story = said.split('\n').map(sentenceOf);
    let at = -1;
    for (const line of fence('text', 'drill').text.trimEnd().split('\n').map(sentenceOf)) {
      const next = story.indexOf(line, at + 1);
      expect(next, `"${line}" is not in the drill's story after line ${at}:\n${said}`).toBeGreaterThan(at);
      at = next;
    }
  });
});
