import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A server under measurement, in a process of its own. */
export interface Subject {
  readonly url: string;
  /** Milliseconds from its start until it said that it listens. */
  readonly startedMs: number;
  /** MB now, and the most there ever were. */
  memory(): { readonly now: number; readonly most: number };
  /** Milliseconds of processor time so far: unlike all the others, a figure that a busy machine does not change much. */
  cpuMs(): number;
  /** By SIGKILL unless told. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

async function subject(args: readonly string[], env: NodeJS.ProcessEnv): Promise<Subject> {
  const began = performance.now();
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await said(child, / on (http:\/\/[^\s]+)/);
  const startedMs = performance.now() - began;
  child.stdout?.resume();
  const memory = (name: string): number => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? Number.NaN) / 1_024;
  };
  return {
    url,
    startedMs,
    cpuMs() {
      const [, fields = ''] = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ');
      const ticks = fields.split(' ');
      return (Number(ticks[11]) + Number(ticks[12])) * 10;
    },
    memory: () => ({ now: memory('VmRSS'), most: memory('VmHWM') }),
    async kill(signal = 'SIGKILL') {
      const ended = once(child, 'exit');
      child.kill(signal);
      if (child.exitCode === null && child.signalCode === null) await ended;
    },
  };
}

function said(child: ChildProcess, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      const [, found] = pattern.exec(text) ?? [];
      if (found !== undefined) resolve(found.replace(/[.,]$/, ''));
    });
    child.once('exit', (code) => reject(new Error(`it ended with ${code}: ${text}`)));
  });
}

export interface Wiring {
  readonly dir: string;
  readonly provider: string;
  readonly secret: string;
}

/** `tourniquet start`, live, with the connector and runbook of the benchmark as a user would add theirs. */
export async function startUs({ dir, provider, secret }: Wiring, flags: readonly string[] = []): Promise<Subject> {
  await mkdir(dir, { recursive: true });
  const people = join(dir, 'people.json');
  await writeFile(people, JSON.stringify([{ id: 'ana', name: 'Ana', roles: ['lead'], cli: 'ana' }]));
  const env = {
    PATH: process.env.PATH,
    HOST: '127.0.0.1',
    PORT: '0',
    LOG_LEVEL: 'warn',
    TOURNIQUET_DATA_DIR: join(dir, 'data'),
    TOURNIQUET_EXTENSIONS: at('extension'),
    TOURNIQUET_PEOPLE: people,
    TOURNIQUET_BRAKE: '9999/1m',
    TOURNIQUET_WEBHOOK_SECRET: secret,
    BENCH_PROVIDER_URL: provider,
  };
  return subject(['--disable-warning=ExperimentalWarning', ...flags, at('../../src/main.ts'), 'start'], env);
}

/** Journal writes of ours per alert, until the first change and after it, and how large one is. */
export interface Writes {
  readonly before: number;
  readonly after: number;
  readonly bytes: number;
}

export async function startLimit({ dir, provider, secret }: Wiring, writes: Writes): Promise<Subject> {
  await mkdir(dir, { recursive: true });
  const counts = [writes.before, writes.after, writes.bytes].map(String);
  return subject([at('limit.ts'), dir, provider, secret, ...counts], { PATH: process.env.PATH });
}
