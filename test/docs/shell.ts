import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { HOME } from './markdown.ts';

/** A block is several processes, one after the other: a second each on a quiet machine, many more on a busy one. */
export const PATIENCE_MS = 180_000;

export type Env = Readonly<Record<string, string>>;

/** `npx tourniquet` as a reader has it: npm would link it, this finds it. */
const NPX = 'npx() { [ "$1" = tourniquet ] || return 127; shift; "$NODE" "$LAUNCH" "$@"; }';

/** Only what a block is told; nothing of the machine's own configuration. */
const envWith = (env: Env): Env => ({
  PATH: process.env.PATH ?? '',
  NODE: process.execPath,
  LAUNCH: join(HOME, 'src/launch.cjs'),
  ...env,
});

export interface Ran {
  readonly status: number;
  readonly said: string;
}

/** Runs a block as bash would, stopping at the first command that fails. */
export const sh = (script: string, cwd: string, env: Env = {}): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(
      'bash',
      ['-euo', 'pipefail', '-c', `${NPX}\n${script}`],
      { cwd, env: envWith(env) },
      (error, stdout, stderr) => {
        resolve({ status: typeof error?.code === 'number' ? error.code : error ? 1 : 0, said: stdout + stderr });
      },
    );
  });

export interface Server {
  /** What it had said when it was ready. */
  readonly said: string;
  stop(): Promise<void>;
}

/** Starts the bot in `cwd` and resolves as soon as it says something that matches `ready`. Rejects with its words if it ends before. */
export async function serve(cwd: string, ready: RegExp, env: Env = {}): Promise<Server> {
  const server = spawn(process.execPath, [join(HOME, 'src/launch.cjs'), 'start'], {
    cwd,
    env: { ...envWith(env), PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  const said = await saidUntil(server, ready);
  return {
    said,
    async stop() {
      server.kill('SIGTERM');
      await ended;
    },
  };
}

function saidUntil(server: ChildProcess, ready: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const lines: string[] = [];
    for (const stream of [server.stdout, server.stderr]) {
      if (!stream) continue;
      createInterface(stream).on('line', (line) => {
        lines.push(line);
        if (ready.test(line)) resolve(lines.join('\n'));
      });
    }
    server.once('exit', () => reject(new Error(`The server ended before it was ready:\n${lines.join('\n')}`)));
  });
}
