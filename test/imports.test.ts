import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/**
 * From the bottom up; a part may import what stands below it, and beside it as long as no two beside each other import in a
 * circle. A part is a folder of src, or a file there together with the folder of its name (config.ts and config/).
 */
const LAYERS: readonly (readonly string[])[] = [
  ['core'],
  ['store'],
  ['custody'],
  [
    'policy',
    'inventory',
    'witness',
    'ingest',
    'incident',
    'providers',
    'triage',
    'engine',
    'decisions',
    'listen',
    'lock',
    'keys',
  ],
  ['config', 'extensions'],
  ['slack', 'console', 'api', 'report', 'schedule', 'drill', 'log', 'story', 'telemetry'],
  ['app'],
  ['modes'],
  ['commands'],
  ['main', 'verify'],
];

/** Beyond the layers: reading the store and writing decisions is all that these do. */
const NEVER: Readonly<Record<string, readonly string[]>> = {
  slack: ['engine', 'console', 'drill'],
  console: ['engine', 'slack', 'drill'],
};

interface Import {
  readonly from: string;
  /** A path from the root for one of our files; the specifier itself for a package. */
  readonly to: string;
}

const partOf = (file: string): string => file.split('/')[1]?.replace(/\.(ts|cjs)$/, '') ?? '';
const layerOf = (part: string): number => LAYERS.findIndex((layer) => layer.includes(part));

/** Why `from` may not import `to`; undefined when it may. */
function offence({ from, to }: Import): string | undefined {
  if (from.startsWith('connectors/')) return connectorOffence(from, to);
  if (from.startsWith('runbooks/')) return runbookOffence(from, to);
  if (to === 'src/sdk.ts') return 'the SDK is the door for connectors/ and runbooks/; import from src/core itself';
  if (to.startsWith('runbooks/')) return 'runbooks are loaded, not imported: see src/extensions.ts';
  if (to.startsWith('connectors/') && partOf(from) !== 'drill')
    return 'connectors are loaded, not imported: see src/extensions.ts';
  return to.startsWith('src/') && from !== 'src/sdk.ts' ? layerOffence(partOf(from), partOf(to)) : undefined;
}

function connectorOffence(from: string, to: string): string | undefined {
  if (to === 'src/sdk.ts' || !isOurs(to)) return undefined;
  const own = from.split('/').slice(0, 2).join('/');
  return to.startsWith(`${own}/`) ? undefined : 'a connector imports only #tourniquet, packages and its own folder';
}

function runbookOffence(from: string, to: string): string | undefined {
  const isDrill = from.startsWith('runbooks/drills/');
  if (to === 'src/sdk.ts' || to === 'zod' || /^connectors\/[^/]+\/index\.ts$/.test(to)) return undefined;
  if (isDrill && (to === '#drill' || to.startsWith('src/drill/'))) return undefined;
  return 'a runbook imports only #tourniquet, #connectors/NAME and zod';
}

function layerOffence(from: string, to: string): string | undefined {
  if (from === to) return undefined;
  const missing = [from, to].find((part) => layerOf(part) < 0);
  if (missing !== undefined) return `src/${missing} has no layer yet: give it one in test/imports.test.ts`;
  if (NEVER[from]?.includes(to)) return `${from} reads the store and writes decisions; it never calls ${to}`;
  return layerOf(to) > layerOf(from)
    ? `${to} stands above ${from}: core ← store ← custody ← … ← app ← main`
    : undefined;
}

const isOurs = (to: string): boolean => /^(src|connectors|runbooks|test)\//.test(to);

const filesIn = (dir: string): string[] =>
  readdirSync(join(ROOT, dir), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)).split(sep).join('/'));

const COMMENT = /\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm;
const SPECIFIER = /(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g;

function specifiersIn(source: string): string[] {
  return [...source.replace(COMMENT, '').matchAll(SPECIFIER)].flatMap(([, specifier]) => specifier ?? []);
}

function target(from: string, specifier: string): string {
  if (specifier === '#tourniquet') return 'src/sdk.ts';
  const [, connector] = /^#connectors\/(.+)$/.exec(specifier) ?? [];
  if (connector !== undefined) return `connectors/${connector}/index.ts`;
  if (!specifier.startsWith('.')) return specifier;
  return relative(ROOT, resolve(ROOT, dirname(from), specifier))
    .split(sep)
    .join('/');
}

const imports: readonly Import[] = ['src', 'connectors', 'runbooks']
  .flatMap(filesIn)
  .flatMap((from) =>
    specifiersIn(readFileSync(join(ROOT, from), 'utf8')).map((specifier) => ({ from, to: target(from, specifier) })),
  );

/** The first circle among parts of one layer, as `a → b → a`. */
function circle(all: readonly Import[]): string | undefined {
  const edges = Map.groupBy(
    all.filter(({ from, to }) => from.startsWith('src/') && to.startsWith('src/') && partOf(from) !== partOf(to)),
    ({ from }) => partOf(from),
  );
  const walk = (part: string, path: readonly string[]): string | undefined => {
    if (path.includes(part)) return [...path.slice(path.indexOf(part)), part].join(' → ');
    const nexts = new Set(edges.get(part)?.map(({ to }) => partOf(to)));
    for (const next of nexts) {
      const found = layerOf(next) === layerOf(part) ? walk(next, [...path, part]) : undefined;
      if (found !== undefined) return found;
    }
    return undefined;
  };
  for (const part of edges.keys()) {
    const found = walk(part, []);
    if (found !== undefined) return found;
  }
  return undefined;
}

describe('imports point one way', () => {
  it('in every file of src, connectors and runbooks', () => {
    const offences = imports.flatMap((each) => {
      const why = offence(each);
      return why === undefined ? [] : `${each.from} imports ${each.to}: ${why}`;
    });
    expect(imports.length).toBeGreaterThan(100);
    expect(offences).toEqual([]);
  });

  it('without a circle between parts that stand beside each other', () => {
    expect(circle(imports)).toBeUndefined();
  });
});

describe('this test notices', () => {
  it.each([
    ['src/core/plan.ts', 'src/store/store.ts', /store stands above core/],
    ['src/store/sqlite.ts', 'src/custody/ledger.ts', /custody stands above store/],
    ['src/engine/act.ts', 'src/slack/card.ts', /slack stands above engine/],
    ['src/policy/open.ts', 'src/config.ts', /config stands above policy/],
    ['src/slack/card.ts', 'src/engine/act.ts', /never calls engine/],
    ['src/slack/card.ts', 'src/console/link.ts', /never calls console/],
    ['src/console/link.ts', 'src/slack/card.ts', /never calls slack/],
    ['src/app.ts', 'src/main.ts', /main stands above app/],
    ['src/config/own.ts', 'src/app.ts', /app stands above config/],
    ['src/engine/act.ts', 'src/novelty/x.ts', /src\/novelty has no layer yet/],
    ['src/engine/act.ts', 'src/sdk.ts', /the SDK is the door/],
    ['src/engine/act.ts', 'connectors/github/index.ts', /loaded, not imported/],
    ['src/drill/world.ts', 'runbooks/leaked-deploy-key.ts', /loaded, not imported/],
    ['connectors/github/index.ts', 'src/core/plan.ts', /a connector imports only/],
    ['connectors/github/index.ts', 'connectors/aws-iam/client.ts', /a connector imports only/],
    ['runbooks/x.ts', 'src/core/plan.ts', /a runbook imports only/],
    ['runbooks/x.ts', 'node:fs', /a runbook imports only/],
    ['runbooks/x.ts', 'connectors/github/client.ts', /a runbook imports only/],
    ['runbooks/x.ts', '#drill', /a runbook imports only/],
  ])('%s importing %s', (from, to, expected) => {
    expect(offence({ from, to })).toMatch(expected);
  });

  it.each([
    ['src/slack/card.ts', 'src/decisions/approve.ts'],
    ['src/config.ts', 'src/config/own.ts'],
    ['src/sdk.ts', 'src/core/plan.ts'],
    ['src/drill/world.ts', 'connectors/github/simulator.ts'],
    ['connectors/github/index.ts', 'src/sdk.ts'],
    ['connectors/github/index.ts', '@octokit/rest'],
    ['connectors/github/operations/keys.ts', 'connectors/github/client.ts'],
    ['runbooks/x.ts', 'connectors/github/index.ts'],
    ['runbooks/drills/x.ts', '#drill'],
  ])('nothing wrong in %s importing %s', (from, to) => {
    expect(offence({ from, to })).toBeUndefined();
  });

  it('a circle', () => {
    const there = { from: 'src/engine/a.ts', to: 'src/triage/b.ts' };
    expect(circle([there])).toBeUndefined();
    expect(circle([there, { from: 'src/triage/c.ts', to: 'src/engine/d.ts' }])).toBe('engine → triage → engine');
  });

  it('every way to write an import, and none in a comment', () => {
    const source = `
      import { a } from './a.ts'; // import b from './b.ts'
      import './c.ts';
      export * from './d.ts';
      /* from './e.ts' */
      const f = await import('./f.ts');
      import {
        type G,
      } from './g.ts';
      const url = 'https://h.example'; import i from './i.ts';
    `;
    expect(specifiersIn(source)).toEqual(['./a.ts', './c.ts', './d.ts', './f.ts', './g.ts', './i.ts']);
  });
});
