import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';

export interface Ran {
  readonly code: number;
  /** What it said on both channels, as a person at a terminal sees it. */
  readonly said: string;
}

export interface How {
  readonly cwd?: string;
  /** All of its environment. */
  readonly env: NodeJS.ProcessEnv;
  readonly input?: string;
}

const children = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of children) child.kill();
});

/** Begins a program; what it says is gathered as it says it. It is ended with this process at the latest. */
export function begin(command: string, args: readonly string[], { cwd, env, input }: How) {
  const child = spawn(command, args, { env, ...(cwd === undefined ? {} : { cwd }), stdio: 'pipe' });
  children.add(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const ended = new Promise<Ran>((resolve, reject) => {
    child.on('error', (error) => reject(new Error(`${command} could not be run: ${error.message}`)));
    child.on('close', (code, signal) => {
      children.delete(child);
      resolve({ code: code ?? 128, said: signal ? `${said}\n(ended by ${signal})` : said });
    });
  });
  ended.catch(() => {}); // whoever waits for the end hears of it
  child.stdin.on('error', () => {}); // it may end before it has read everything
  child.stdin.end(input ?? '');
  return {
    ended,
    said: () => said,
    async stop(): Promise<Ran> {
      child.kill();
      return ended;
    },
  };
}
export type Running = ReturnType<typeof begin>;

/** Runs a program to its end. Rejects when there is no such program. */
export const run = (command: string, args: readonly string[], how: How): Promise<Ran> =>
  begin(command, args, how).ended;

/** Runs a program that must succeed. Rejects with what it said when it does not. */
export async function must(command: string, args: readonly string[], how: How): Promise<string> {
  const { code, said } = await run(command, args, how);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with status ${code}:\n${said.trim()}`);
  return said;
}

const LOOK_AGAIN_MS = 100;

/** What `ask` answers, once it answers something. Rejects after `withinMs`, naming what did not come. */
export async function until<T>(what: string, withinMs: number, ask: () => Promise<T | undefined>): Promise<T> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: did not come about within ${withinMs / 1_000} s`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}

/** A port that was free a moment ago, for programs that take no port 0. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || address === null) throw new Error('No port is free.');
  return address.port;
}
