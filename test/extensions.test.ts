import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadBuiltIns } from '../src/extensions.ts';

/** In a Node of its own: vitest resolves imports by itself, and so would not show whether Node finds them. */
const LOAD = `
  const { loadBuiltIns, loadExtensions } = await import(${JSON.stringify(new URL('../src/extensions.ts', import.meta.url).href)});
  const builtIns = await loadBuiltIns();
  const { connectors, runbooks, problems } = await loadExtensions(process.argv[1], builtIns);
  const planned = runbooks.map((book) => book.assess({ kind: book.kind.kind, id: 'k1', where: { account: '111122223333', user: 'u' } }, {}));
  process.stdout.write(JSON.stringify({
    connectors: connectors.map(({ name }) => name),
    runbooks: runbooks.map(({ name }) => name),
    ops: planned.flatMap((steps) => Object.values(steps).map(({ op }) => op)),
    problems,
  }));
`;
const answer = z.object({
  connectors: z.array(z.string()),
  runbooks: z.array(z.string()),
  ops: z.array(z.string()),
  problems: z.array(z.object({ file: z.string(), wrong: z.string() })),
});

const root = mkdtempSync(join(tmpdir(), 'tourniquet-extensions-'));
afterAll(() => rmSync(root, { recursive: true }));

function folder(files: Readonly<Record<string, string>>): string {
  const dir = mkdtempSync(join(root, 'x-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    writeFileSync(join(dir, path), text);
  }
  return dir;
}

async function load(dir: string): Promise<z.infer<typeof answer>> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', LOAD, dir]);
  expect(stderr).toBe('');
  return answer.parse(JSON.parse(stdout));
}

const connector = (name: string): string => `
  import { z } from 'zod';
  import { credentialKind, defineConnector, operations } from '#tourniquet';
  const op = operations<null>();
  export const acmeKey = credentialKind('acme.key', 'Acme key', z.object({ account: z.string() }));
  export const acme = defineConnector({
    name: '${name}', title: 'Acme', settings: z.object({ ACME_TOKEN: z.string() }),
    configured: (env) => env.ACME_TOKEN !== undefined, connect: () => null,
    buckets: { all: { capacity: 1, perSecond: 1 } }, doctor: async () => [],
    operations: { look: op.observe({
      title: 'Look', permissions: [], docs: 'https://example.com', bucket: 'all',
      input: z.object({ id: z.string() }), run: async () => null }) },
  });
`;
const runbook = (name: string, connectorName = 'acme'): string => `
  import { z } from 'zod';
  import { defineRunbook, step } from '#tourniquet';
  import { acme, acmeKey } from '#connectors/${connectorName}';
  export default defineRunbook(acmeKey, {
    name: '${name}', title: 'An Acme key leaked', params: z.object({}),
    assess: ({ id }) => ({ look: step('Look', acme.look, { id }) }), contain: () => ({}),
  });
`;
const ofOurs = `
  import { z } from 'zod';
  import { accessKey, awsIam } from '#connectors/aws-iam';
  import { defineRunbook } from '#tourniquet';
  export const quiet = defineRunbook(accessKey, {
    name: 'quiet', title: Object.keys(awsIam).length > 1 ? 'x' : 'y', params: z.object({}),
    assess: () => ({}), contain: () => ({}),
  });
`;

describe('extensions outside the package', () => {
  it('are found as folders and as files, and see the SDK, our connectors, their own and our packages', async () => {
    const dir = folder({
      'connectors/acme/index.ts': connector('acme'),
      'connectors/other.ts': connector('other').replaceAll('acme.key', 'other.key'),
      'connectors/notes.md': 'not a connector',
      'runbooks/leaked-acme-key.ts': runbook('leaked-acme-key'),
      'runbooks/quiet.ts': ofOurs,
      'runbooks/drills/some.ts': 'not even TypeScript',
      'runbooks/quiet.test.ts': 'throw new Error()',
    });
    expect(await load(dir)).toEqual({
      connectors: ['acme', 'other'],
      runbooks: ['leaked-acme-key', 'quiet'],
      ops: ['acme.look'],
      problems: [],
    });
  });

  it('are found through a symbolic link', async () => {
    const link = join(root, 'link');
    symlinkSync(folder({ 'runbooks/quiet.ts': ofOurs }), link);
    expect(await load(link)).toMatchObject({ runbooks: ['quiet'], problems: [] });
  });

  it('are refused, every one by its file, and the good ones beside them are named all the same', async () => {
    const dir = folder({
      'connectors/acme.ts': connector('acme'),
      'connectors/aws-iam.ts': connector('aws-iam'),
      'connectors/acme/index.ts': connector('acme'),
      'connectors/spec.ts': 'export const spec = { name: "spec" };',
      'connectors/wrong-name.ts': connector('name'),
      'runbooks/broken.ts': 'export const x = 1;\nexport const = 2;',
      'runbooks/enums.ts': '\nenum Colour { Red }\nexport const x = Colour.Red;',
      'runbooks/empty.ts': '',
      'runbooks/good.ts': runbook('good'),
      'runbooks/import.ts': 'import "./nowhere.ts";',
      'runbooks/leaked-aws-access-key.ts': ofOurs.replace("'quiet'", "'leaked-aws-access-key'"),
      'runbooks/lost.ts': runbook('lost', 'acmee'),
      'runbooks/misnamed.ts': ofOurs,
      'runbooks/package.ts': 'import "left-pad-of-nobody";',
      'runbooks/throws.ts': '\n\nthrow new Error("no luck");',
      'runbooks/two.ts': `${ofOurs}\nexport const second = { ...quiet, name: 'second' };`,
    });
    const { connectors, runbooks, problems } = await load(dir);
    expect({ connectors, runbooks }).toEqual({ connectors: ['acme'], runbooks: ['good'] });
    const wrong = Object.fromEntries(problems.map((problem) => [problem.file, problem.wrong]));
    expect(wrong).toEqual({
      'connectors/acme/index.ts': 'there is another connector "acme" beside it; one of them must go',
      'connectors/aws-iam.ts': 'there is a built-in connector "aws-iam" already; give this one another name',
      'connectors/spec.ts': 'it exports spec, but nothing made by defineConnector',
      'connectors/wrong-name.ts': 'the connector is called "name"; it must be called "wrong-name", as its file is',
      'runbooks/broken.ts': expect.stringMatching(/not TypeScript: .*broken\.ts:2\)/),
      'runbooks/enums.ts': expect.stringMatching(/enum.*enums\.ts:2\).*union of texts/),
      'runbooks/empty.ts': 'it exports nothing, but nothing made by defineRunbook',
      'runbooks/import.ts': expect.stringMatching(/imports what is not there: .*nowhere\.ts/),
      'runbooks/leaked-aws-access-key.ts': expect.stringMatching(/built-in runbook "leaked-aws-access-key" already/),
      'runbooks/lost.ts': expect.stringMatching(/there is no connector "acmee"; there are acme, aws-iam, /),
      'runbooks/misnamed.ts': 'the runbook is called "quiet"; it must be called "misnamed", as its file is',
      'runbooks/package.ts': expect.stringMatching(/imports what is not there: .*left-pad-of-nobody/),
      'runbooks/throws.ts': expect.stringMatching(/throws when it is loaded: no luck .*throws\.ts:3\)/),
      'runbooks/two.ts': 'it exports 2 things made by defineRunbook; one file holds one',
    });
  });

  it('must be there', async () => {
    expect((await load(join(root, 'nowhere'))).problems).toEqual([
      { file: join(root, 'nowhere'), wrong: 'the folder of extensions cannot be read: it is not there' },
    ]);
    expect((await load(folder({ 'runbook/x.ts': '' }))).problems).toEqual([
      { file: expect.any(String), wrong: expect.stringMatching(/^there is neither/) },
    ]);
  });
});

describe('what Tourniquet comes with', () => {
  it('is loaded the same way, without a problem, and every runbook acts on a kind of its own', async () => {
    const { connectors, runbooks, problems } = await loadBuiltIns();
    expect(problems).toEqual([]);
    expect(connectors.map(({ name }) => name)).toEqual(expect.arrayContaining(['aws-iam', 'github']));
    const kinds = runbooks.map(({ kind }) => kind.kind);
    expect(new Set(kinds).size).toBe(kinds.length);
  });
});
