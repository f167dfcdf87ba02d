import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { githubPermissions } from '../connectors/github/index.ts';
import { problemText, readConfig, settingsTable, thisMachine } from '../src/config.ts';
import { loadBuiltIns } from '../src/extensions.ts';
import { SLACK_PATH } from '../src/slack/app.ts';
import { MADE } from './docs/made.ts';
import { anchorsIn, fence, fences, fencesIn, HOME, linksIn, madeBlock, PAGES, read } from './docs/markdown.ts';

const root = mkdtempSync(join(tmpdir(), 'tourniquet-docs-'));
afterAll(() => rmSync(root, { recursive: true }));

/** How a ```sh block is tried; see docs-sandbox.test.ts and docs-live.test.ts for those that are really run. */
const TRIED = {
  sandbox: 'run beside a sandbox',
  alone: 'run in an empty folder',
  drill: 'run in an empty folder, and compared with the story that is shown',
  live: 'run beside a live bot',
  extensions: 'run with the connector of the documentation',
  env: 'read as a configuration',
  install: 'a script of package.json; running it here would run the tests in the tests',
  outside: 'needs a container engine: only what it says to Tourniquet is tried',
} as const;

/** Every command to Tourniquet that a page shows, fenced or not, as its arguments. */
function commandsShown(): readonly { readonly at: string; readonly argv: readonly string[] }[] {
  return PAGES.flatMap((page) => {
    const text = read(page).replaceAll('\\\n', ' ');
    const shown = text.matchAll(/(?:npx tourniquet|src\/launch\.cjs) (?!--script)([a-z][^`\n>|]*)/g);
    return [...shown].map(([, rest = '']) => ({ at: `${page}: ${rest}`, argv: rest.trim().split(/\s+/) }));
  });
}

/** What the real program says of each: null when it would run it. */
function verdictsOn(commands: readonly (readonly string[])[]): readonly (string | null)[] {
  const { stdout, stderr } = spawnSync(process.execPath, [join(HOME, 'test/docs/parse-commands.ts')], {
    input: JSON.stringify(commands),
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return z.array(z.string().nullable()).parse(JSON.parse(stdout));
}

describe('what pages show', () => {
  it.each(MADE)(
    '$name in $page is what the code says (test/docs/write.ts writes it anew)',
    async ({ page, name, make }) => {
      expect(madeBlock(page, name)).toBe(await make());
    },
  );

  it('points to files and headings that exist', () => {
    const broken = PAGES.flatMap((page) =>
      linksIn(page).flatMap((link) => {
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : normalize(join(dirname(page), path));
        if (!existsSync(join(HOME, target))) return `${page}: ${link}: no such file`;
        if (anchor !== undefined && !anchorsIn(target).includes(anchor)) return `${page}: ${link}: no such heading`;
        return [];
      }),
    );
    expect(broken).toEqual([]);
  });

  it('is tried, every block of commands in one way', () => {
    const blocks = fences('sh');
    expect(blocks.length).toBeGreaterThan(10);
    const untried = PAGES.flatMap(fencesIn).filter(
      ({ language, label }) =>
        ['bash', 'shell', 'console', ''].includes(language) || (language === 'sh' && !(label in TRIED)),
    );
    expect(untried.map(({ page, line, label }) => `${page}:${line} ${label}`)).toEqual([]);
  });

  it('is JSON where it says so', () => {
    for (const { page, line, text } of fences('json')) expect(() => JSON.parse(text), `${page}:${line}`).not.toThrow();
  });

  it('names no variable that is not read', async () => {
    const { connectors } = await loadBuiltIns();
    const known = new Set(settingsTable(connectors).map(({ name }) => name));
    const theirs = new Set(['ACME_URL', 'ACME_ADMIN_TOKEN']); // of the examples
    const named = PAGES.flatMap((page) => [
      ...read(page).matchAll(/\b(?:TOURNIQUET|GITHUB|SLACK|SNS|AWS|ACME)_[A-Z_]+[A-Z]\b/g),
    ]);
    const events = /^AWS_RISK_CREDENTIALS_EXPOSED$/;
    const strangers = named
      .map(([name]) => name)
      .filter((name) => !known.has(name) && !theirs.has(name) && !events.test(name));
    expect([...new Set(strangers)]).toEqual([]);
  });
});

describe('commands shown', () => {
  it('would be run by the real program, every one, and a wrong one would not', () => {
    const shown = commandsShown();
    expect(shown.length).toBeGreaterThan(20);
    const wrong = [
      ['show', 'INC-1', '--yaml'],
      ['contain', 'it'],
    ];
    const verdicts = verdictsOn([...shown.map(({ argv }) => argv), ...wrong]);
    const refused = shown
      .map(({ at }, index) => ({ at, verdict: verdicts[index] }))
      .filter(({ verdict }) => verdict !== null);
    expect(refused).toEqual([]);
    const [option, name] = verdicts.slice(shown.length);
    expect(option).toContain('--yaml');
    expect(name).toContain('contain');
  });

  it('are scripts of package.json and files of this repository', () => {
    const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(read('package.json')));
    const npm = fences('sh', 'install').flatMap(({ text }) => [...text.matchAll(/npm (?:run )?([\w:]+)/g)]);
    const missing = npm.map(([, name = '']) => name).filter((name) => name !== 'ci' && !scripts[name]);
    expect(missing).toEqual([]);
    const files = PAGES.flatMap((page) => [...read(page).matchAll(/--script (\S+\.(?:ts|mjs))/g)]);
    for (const [, file = ''] of files) expect(existsSync(join(HOME, file)), file).toBe(true);
  });

  it('run the container as the Dockerfile says', () => {
    const run = fence('sh', 'outside').text;
    const [, options = ''] = /docker run (--read-only .*) -v/.exec(read('Dockerfile')) ?? [];
    expect(options).toContain('--cap-drop ALL');
    expect(run).toContain(options);
  });
});

describe('the setup of the README', () => {
  it('is a configuration that is accepted, all of it together', async () => {
    const { connectors } = await loadBuiltIns();
    for (const name of ['people', 'inventory']) writeFileSync(join(root, `${name}.json`), fence('json', name).text);
    const lines = fences('sh', 'env').flatMap(({ text }) => text.trim().split('\n'));
    const env = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    const given = {
      ...env,
      TOURNIQUET_PEOPLE: join(root, 'people.json'),
      TOURNIQUET_INVENTORY: join(root, 'inventory.json'),
    };
    const result = readConfig(given, thisMachine(), connectors);
    expect(result.ok ? [] : result.problems.map(problemText)).toEqual([]);
    expect(result.ok && result.config.mode).toBe('live');
  });

  it('asks GitHub for the permissions that the connector declares', () => {
    const named = [...read('README.md').matchAll(/`(\w+:(?:read|write))`/g)].map(([, permission]) => permission);
    const declared = Object.entries(githubPermissions).map(([name, level]) => `${name}:${level}`);
    expect(named.toSorted()).toEqual(declared.toSorted());
  });

  it('sends Slack where it is listened to, with the scopes of the manifest', () => {
    const page = read('docs/setup-slack.md');
    const { oauth_config: oauth } = z
      .object({ oauth_config: z.object({ scopes: z.object({ bot: z.array(z.string()) }) }) })
      .parse(JSON.parse(read('slack-manifest.json')));
    for (const scope of oauth.scopes.bot) expect(page).toContain(`\`${scope}\``);
    expect(page).toContain(SLACK_PATH);
  });
});

describe('the picture of the architecture', () => {
  it('names folders that exist', () => {
    const named = [...fence('text', 'folders').text.matchAll(/src\/([a-z]+)/g)].map(([, name = '']) => name);
    expect(named.length).toBeGreaterThan(8);
    expect(named.filter((name) => !existsSync(join(HOME, 'src', name)))).toEqual([]);
  });
});
