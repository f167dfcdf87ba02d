import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Env } from '../../src/core/connector.ts';
import { formatSkey, formatVkey, keyPairOf } from '../../src/custody/note.ts';
import { listIncidents, type RunView, readIncident } from '../../src/incident/view.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import type { Store } from '../../src/store/store.ts';
import { startPostgres } from '../postgres.ts';
import { openProviders, type Providers } from './providers.ts';

/** One `tourniquet start` in a process of its own. */
export interface Replica {
  readonly name: string;
  readonly url: string;
  signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void;
  /** SIGTERM; resolves with its exit code. */
  drain(): Promise<number | null>;
}

/** Two replicas on one PostgreSQL, among simulated providers. */
export interface Cluster {
  readonly providers: Providers;
  readonly replicas: readonly Replica[];
  /** The database, as somebody who only looks sees it. */
  readonly store: Store;
  readonly vkey: string;
  replica(name: string): Replica;
  /** The run on the leaked key of `user`, once it is contained. */
  contained(user: string): Promise<RunView>;
  close(): Promise<void>;
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const ORIGIN = 'test.example/replicas';
/** Patience for a loaded machine; nothing is measured by it. */
const PATIENCE_MS = 60_000;

/** Asks until there is an answer. */
export async function until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(20)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
  }
  throw new Error(`${what}: it did not happen`);
}

export async function openCluster(): Promise<Cluster> {
  const dir = mkdtempSync(join(tmpdir(), 'tourniquet-replicas-'));
  const people = join(dir, 'people.json');
  writeFileSync(people, JSON.stringify([{ id: 'ana', name: 'Ana', roles: ['lead', 'approver'], cli: 'ana' }]));
  const inventory = join(dir, 'inventory.json');
  writeFileSync(inventory, JSON.stringify([{ match: { kind: 'aws.access-key' }, params: { settle: '1s' } }]));
  const [postgres, providers] = await Promise.all([startPostgres(), openProviders()]);
  const url = await postgres.fresh();
  const seed = randomBytes(32);
  const shared = {
    DATABASE_URL: url,
    TOURNIQUET_MASTER_KEY: randomBytes(32).toString('base64'),
    TOURNIQUET_LOG_KEY: formatSkey(ORIGIN, seed),
    TOURNIQUET_PEOPLE: people,
    TOURNIQUET_INVENTORY: inventory,
    GITHUB_WEBHOOK_SECRET: providers.webhookSecret,
    PORT: '0',
  };
  const start = async (name: string): Promise<Replica> =>
    startReplica(name, { ...shared, ...(await providers.envFor(name)), TOURNIQUET_DATA_DIR: join(dir, name) });
  const replicas = await Promise.all([start('one'), start('two')]);
  const store = await openPostgres(url);

  async function runOf(user: string): Promise<RunView | undefined> {
    for (const { id } of await listIncidents(store.db, { limit: 10, open: false })) {
      const incident = await readIncident(store.db, id, new Date());
      const run = incident?.runs.find(({ state }) => state.opened.credential.where.user === user);
      if (run) return run;
    }
    return undefined;
  }

  return {
    providers,
    replicas,
    store,
    vkey: formatVkey(ORIGIN, keyPairOf(seed).publicKey),
    replica(name) {
      const found = replicas.find((each) => each.name === name);
      if (!found) throw new Error(`there is no replica ${name}`);
      return found;
    },
    contained: (user) =>
      until(`the key of ${user} is contained`, async () => {
        const run = await runOf(user);
        return run?.milestones.contained === undefined ? undefined : run;
      }),
    async close() {
      for (const replica of replicas) replica.signal('SIGKILL');
      await store.close();
      await providers.close();
      await postgres.stop();
      rmSync(dir, { recursive: true });
    },
  };
}

async function startReplica(name: string, env: Env): Promise<Replica> {
  const child = spawn(process.execPath, ['src/main.ts', 'start'], {
    cwd: ROOT,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  process.once('exit', () => child.kill('SIGKILL'));
  const said = gather(child);
  const url = await until(`replica ${name} starts`, async () => {
    if (child.exitCode !== null) throw new Error(`replica ${name} ended:\n${said()}`);
    return /live on (http:\S+)/.exec(said())?.[1];
  });
  return {
    name,
    url,
    signal: (signal) => void child.kill(signal),
    async drain() {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
      return child.exitCode;
    },
  };
}

function gather({ stdout, stderr }: ChildProcess): () => string {
  let said = '';
  for (const stream of [stdout, stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (said += text));
  return () => said;
}
