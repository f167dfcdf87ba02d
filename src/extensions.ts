import { realpathSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Connector } from './core/connector.ts';
import type { Runbook } from './core/runbook.ts';
import { connectorsIn, type Exports, loadingProblem, runbooksIn } from './extensions/check.ts';
import { connectorFiles, runbookFiles, type Source } from './extensions/find.ts';
import { resolveFor } from './extensions/resolve.ts';
import { unreadable } from './policy/files.ts';

export interface ExtensionProblem {
  readonly file: string;
  readonly wrong: string;
}

/** What was found and can be used, and what is wrong with the rest. With any problem, nothing should start. */
export interface Loaded {
  readonly connectors: readonly Connector[];
  readonly runbooks: readonly Runbook[];
  readonly problems: readonly ExtensionProblem[];
}

const HOME = fileURLToPath(new URL('..', import.meta.url));

/** The connectors and runbooks that Tourniquet comes with, drills excluded. */
export const loadBuiltIns = (): Promise<Loaded> =>
  load(
    {
      home: HOME,
      connectors: connectorFiles(join(HOME, 'connectors')),
      runbooks: runbookFiles(join(HOME, 'runbooks')),
    },
    { connectors: [], runbooks: [] },
  );

/**
 * A user's own, in `DIR/connectors/NAME/index.ts` or `DIR/connectors/NAME.ts`, and `DIR/runbooks/NAME.ts`. They run with all that
 * this process may do. Resolves with every problem by file, never rejects for one; `builtIns` are those whose names are taken.
 */
export async function loadExtensions(dir: string, builtIns: Taken): Promise<Loaded> {
  const found = sourcesIn(dir);
  if ('wrong' in found) return { connectors: [], runbooks: [], problems: [{ file: dir, wrong: found.wrong }] };
  resolveFor(found.home, found.connectors, new Set(builtIns.connectors.map(({ name }) => name)));
  return await load(found, builtIns);
}

type Taken = Pick<Loaded, 'connectors' | 'runbooks'>;

interface Sources {
  readonly home: string;
  readonly connectors: readonly Source[];
  readonly runbooks: readonly Source[];
}

function sourcesIn(dir: string): Sources | { readonly wrong: string } {
  try {
    const home = realpathSync(dir); // modules know themselves by their real path
    const connectors = connectorFiles(join(home, 'connectors'));
    const runbooks = runbookFiles(join(home, 'runbooks'));
    if (connectors.length + runbooks.length > 0) return { home, connectors, runbooks };
    return {
      wrong: 'there is neither a connectors/NAME.ts (or connectors/NAME/index.ts) nor a runbooks/NAME.ts in it',
    };
  } catch (error) {
    return { wrong: `the folder of extensions cannot be read: ${unreadable(error)}` };
  }
}

async function load(sources: Sources, taken: Taken): Promise<Loaded> {
  const connectors = await loadEach(sources.home, sources.connectors, {
    find: connectorsIn,
    maker: 'defineConnector',
    taken: taken.connectors.map(({ name }) => name),
  });
  const runbooks = await loadEach(sources.home, sources.runbooks, {
    find: runbooksIn,
    maker: 'defineRunbook',
    taken: taken.runbooks.map(({ name }) => name),
  });
  return {
    connectors: connectors.found,
    runbooks: runbooks.found,
    problems: [...connectors.problems, ...runbooks.problems],
  };
}

interface Wanted<T> {
  readonly find: (exports: Exports) => readonly T[];
  readonly maker: 'defineConnector' | 'defineRunbook';
  /** Names that built-ins have. */
  readonly taken: readonly string[];
}

async function loadEach<T extends { readonly name: string }>(
  dir: string,
  sources: readonly Source[],
  wanted: Wanted<T>,
): Promise<{ found: T[]; problems: ExtensionProblem[] }> {
  const found: T[] = [];
  const problems: ExtensionProblem[] = [];
  const names = new Set(wanted.taken);
  for (const source of sources) {
    const outcome = await loadOne(source, wanted);
    const wrong = 'wrong' in outcome ? outcome.wrong : nameProblem(source, outcome.made.name, names, wanted);
    if (wrong !== undefined) problems.push({ file: relative(dir, source.file), wrong });
    else if ('made' in outcome) found.push(outcome.made);
    if ('made' in outcome) names.add(outcome.made.name);
  }
  return { found, problems };
}

async function loadOne<T>(source: Source, { find, maker }: Wanted<T>): Promise<{ made: T } | { wrong: string }> {
  let exports: Exports;
  try {
    exports = await import(/* @vite-ignore */ pathToFileURL(source.file).href);
  } catch (error) {
    return { wrong: loadingProblem(error) };
  }
  const [made, ...more] = find(exports);
  if (made !== undefined && more.length === 0) return { made };
  if (more.length > 0) return { wrong: `it exports ${more.length + 1} things made by ${maker}; one file holds one` };
  const names = Object.keys(exports);
  return { wrong: `it exports ${names.join(', ') || 'nothing'}, but nothing made by ${maker}` };
}

function nameProblem<T>(
  source: Source,
  name: string,
  names: ReadonlySet<string>,
  { taken, maker }: Wanted<T>,
): string | undefined {
  const what = maker === 'defineConnector' ? 'connector' : 'runbook';
  if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(name)) return `the ${what} is called "${name}"; write it in kebab-case`;
  if (name !== source.name)
    return `the ${what} is called "${name}"; it must be called "${source.name}", as its file is`;
  if (taken.includes(name)) return `there is a built-in ${what} "${name}" already; give this one another name`;
  if (names.has(name)) return `there is another ${what} "${name}" beside it; one of them must go`;
  return undefined;
}
