import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { json } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fence, fences, HOME } from './docs/markdown.ts';
import { PATIENCE_MS, type Server, serve, sh } from './docs/shell.ts';

const root = mkdtempSync(join(tmpdir(), 'tourniquet-docs-'));
afterAll(() => rmSync(root, { recursive: true }));

/** The people of the README, with Ana's login on this machine. */
const people = join(root, 'people.json');
writeFileSync(
  people,
  fence('json', 'people').text.replace('"cli": "ana"', `"cli": ${JSON.stringify(userInfo().username)}`),
);

function write(dir: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
}

describe('the pages, followed by a reader beside a live bot', { timeout: PATIENCE_MS }, () => {
  const env = { TOURNIQUET_PEOPLE: people, TOURNIQUET_WEBHOOK_SECRET: randomBytes(24).toString('hex') };
  let bot: Server;
  beforeAll(async () => {
    bot = await serve(root, /Check permissions with/, env);
  }, PATIENCE_MS);
  afterAll(() => bot?.stop());

  it('every command works, and the signed alert is accepted once', async () => {
    const [, url = ''] = /live on (http\S+)/.exec(bot.said) ?? [];
    const KEY_ID = ['AKIA', 'IOSFODNN7EXAMPLE'].join('');
    const reader = { ...env, BOT_URL: url, KEY_ID };
    const blocks = fences('sh', 'live');
    expect(blocks.map(({ page }) => page).toSorted()).toEqual(['docs/alerts.md', 'docs/setup-slack.md']);
    for (const { page, line, text } of blocks)
      expect(await sh(text, root, reader), `${page}:${line}`).toMatchObject({ status: 0 });
    const alert = blocks.find(({ page }) => page === 'docs/alerts.md')?.text ?? '';
    expect((await sh(alert, root, reader)).said).toContain('"status":"duplicate"');
    const forged = await sh(alert, root, { ...reader, TOURNIQUET_WEBHOOK_SECRET: 'another secret' });
    expect(forged).toMatchObject({ status: 22, said: expect.stringContaining('does not match') });
  });
});

const body = z.object({ enabled: z.boolean() });

/** The vendor of the example, with one key. */
function acmeServer(key: { enabled: boolean }): HttpServer {
  return createServer(async (request, response) => {
    if (request.url !== '/keys/k-42') {
      response.writeHead(404).end();
      return;
    }
    if (request.method === 'PUT') key.enabled = body.parse(await json(request)).enabled;
    response.end(JSON.stringify({ ...key, owner: 'billing team', lastUsed: null }));
  });
}

describe('the connector and the runbook of the documentation', { timeout: PATIENCE_MS }, () => {
  const dir = join(root, 'extensions');
  const key = { enabled: true };
  const acme = acmeServer(key);
  beforeAll(async () => {
    write(dir, {
      'package.json': '{ "type": "module" }',
      'tsconfig.json': fence('json', 'tsconfig.json').text.replaceAll('/opt/tourniquet/', HOME),
      'connectors/acme.ts': fence('ts', 'connectors/acme.ts').text,
      'runbooks/leaked-acme-key.ts': fence('ts', 'runbooks/leaked-acme-key.ts').text,
    });
    await new Promise<void>((resolve) => acme.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => acme.close());

  it('type-check as the page says', async () => {
    const { stdout } = await promisify(execFile)(join(HOME, 'node_modules/.bin/tsc'), ['-p', '.'], { cwd: dir });
    expect(stdout).toBe('');
  });

  it('are loaded as they are, planned, and contain a key at its provider', async () => {
    const { port } = acme.address() as AddressInfo;
    const env = {
      TOURNIQUET_EXTENSIONS: dir,
      TOURNIQUET_PEOPLE: people,
      ACME_URL: `http://127.0.0.1:${port}`,
      ACME_ADMIN_TOKEN: 'for the test',
    };
    const cwd = mkdtempSync(join(root, 'acme-'));
    const [plan, act, ...more] = fences('sh', 'extensions');
    expect(more).toEqual([]);
    expect(await sh(plan?.text ?? '', cwd, env)).toMatchObject({
      status: 0,
      said: expect.stringMatching(/Disable the key[\s\S]*Give billing team time to speak up[\s\S]*Nothing was changed/),
    });
    expect(key.enabled).toBe(true);
    expect(await sh(act?.text ?? '', cwd, env)).toMatchObject({
      status: 0,
      said: expect.stringContaining('Proved dead at the provider'),
    });
    expect(key.enabled).toBe(false);
  });
});
