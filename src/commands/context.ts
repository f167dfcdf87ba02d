import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type App, createApp } from '../app.ts';
import { type Config, extensionsDirOf, problemText, readConfig, thisMachine } from '../config.ts';
import { PEOPLE } from '../drill/world.ts';
import { type Loaded, loadBuiltIns, loadExtensions } from '../extensions.ts';
import { emptyInventory } from '../inventory.ts';
import { createLog, type Log } from '../log.ts';
import { DATABASE, openBot } from '../modes/bot.ts';
import { openLive } from '../modes/live.ts';
import { CommandError, type Io } from './io.ts';

/** The configuration and everything loaded, all of it usable. */
export interface Context {
  readonly config: Config;
  readonly loaded: Pick<Loaded, 'connectors' | 'runbooks'>;
  readonly log: Log;
}

/** Reads configuration and extensions. Throws a CommandError that names every problem at once. */
export async function readContext(io: Io): Promise<Context> {
  const builtIns = await loadBuiltIns();
  const dir = extensionsDirOf(io.env);
  const extensions =
    dir === undefined ? { connectors: [], runbooks: [], problems: [] } : await loadExtensions(dir, builtIns);
  const loaded = {
    connectors: [...builtIns.connectors, ...extensions.connectors],
    runbooks: [...builtIns.runbooks, ...extensions.runbooks],
  };
  const result = readConfig(io.env, thisMachine(), loaded.connectors);
  const problems = [
    ...[...builtIns.problems, ...extensions.problems].map(({ file, wrong }) => `${file}: ${wrong}`),
    ...(result.ok ? [] : result.problems.map(problemText)),
  ];
  if (!result.ok || problems.length > 0) {
    const many = problems.length === 1 ? 'One thing is' : `${problems.length} things are`;
    throw new CommandError(
      `Tourniquet did not start. ${many} wrong:\n${problems.map((each) => `  - ${each}`).join('\n')}`,
      2,
    );
  }
  return { config: result.config, loaded, log: createLog(result.config.logLevel, (line) => io.err(line.trimEnd())) };
}

/**
 * The app of this data folder, for a command that decides or reads: nothing runs until it is drained or started. In the sandbox it has
 * no providers: those live in the process that `tourniquet start` runs.
 */
export async function openForCommand({ config, loaded, log }: Context): Promise<App> {
  if (config.mode === 'live') return openLive(config, loaded, log);
  if (!existsSync(join(config.dataDir, DATABASE))) {
    throw new CommandError(
      'There is no sandbox yet: run npm start in another terminal. To act on real providers, configure them (README, Setup).',
    );
  }
  return createApp(
    await openBot(config, {
      mode: 'sandbox',
      dataDir: config.dataDir,
      connectors: [],
      runbooks: loaded.runbooks,
      env: {},
      guard: () => {},
      sources: [],
      people: PEOPLE,
      inventory: emptyInventory,
      onError: (error, where) => log.error({ err: error }, where),
    }),
  );
}

/** How the command line knows whoever typed: by their login on this machine; in the sandbox everybody is the person at the table. */
export const authnOf = ({ config }: Context, io: Io): string =>
  config.mode === 'sandbox' ? 'cli:local' : `cli:${io.user}`;

/** Opens the app, lets `use` work with it, and closes it whatever happens. */
export async function withApp<T>(io: Io, use: (app: App, context: Context) => Promise<T>): Promise<T> {
  const context = await readContext(io);
  const app = await openForCommand(context);
  try {
    return await use(app, context);
  } finally {
    await app.stop();
  }
}
