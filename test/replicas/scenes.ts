import { readEntries } from '../../src/custody/read.ts';
import { type Cluster, until } from './cluster.ts';
import type { Change } from './providers.ts';

export type Tell = (line: string) => void;

/** How one incident ended whose replica failed in the middle of it. */
export interface Ending {
  readonly failed: string;
  /** Every call that would change something, in order. */
  readonly changes: readonly Change[];
  readonly results: readonly string[];
}

async function post(cluster: Cluster, user: string): Promise<void> {
  const { path, headers, body } = cluster.providers.leak(user);
  const [any] = cluster.replicas;
  const response = await fetch(new URL(path, any?.url), { method: 'POST', headers, body });
  if (response.status !== 202) throw new Error(`the alert was answered with ${response.status}`);
}

async function endingOf(cluster: Cluster, user: string, failed: string): Promise<Ending> {
  const run = await cluster.contained(user);
  const entries = await readEntries(cluster.store.db, 'run', run.id);
  const results = entries.flatMap((entry) =>
    entry.type === 'result' && entry.step.startsWith('contain/d') && !/dead|denied/.test(entry.step)
      ? [`${entry.step} ${entry.outcome} by ${entry.by}`]
      : [],
  );
  return { failed, results, changes: cluster.providers.changes.filter((change) => change.user === user) };
}

const other = (name: string): string => (name === 'one' ? 'two' : 'one');

/**
 * A replica is stopped (SIGSTOP) while its call to disable the key is on its way, the call is lost, the other replica takes the run
 * over, and then the first wakes: a zombie, with an answer to a question that is settled.
 */
export async function zombie(cluster: Cluster, tell: Tell): Promise<Ending> {
  const user = 'deploy-zombie';
  const trapped = cluster.providers.trap('UpdateAccessKey', 'lost');
  await post(cluster, user);
  const caught = await trapped;
  const { replica } = caught;
  cluster.replica(replica).signal('SIGSTOP');
  tell(`Replica ${replica} is stopped (SIGSTOP) in the middle of disabling the key; its call never arrives.`);
  await cluster.contained(user);
  tell(`Replica ${other(replica)} took the run over, asked AWS, found it not done, and disabled the key.`);
  caught.release();
  cluster.replica(replica).signal('SIGCONT');
  await until(`replica ${replica} answers`, async () => {
    const health = await fetch(new URL('/healthz', cluster.replica(replica).url)).catch(() => undefined);
    return health?.ok ? true : undefined;
  });
  tell(`Replica ${replica} woke up (SIGCONT).`);
  return endingOf(cluster, user, replica);
}

/** A replica is killed (SIGKILL) after AWS disabled the key and before it could hear so. */
export async function killed(cluster: Cluster, tell: Tell): Promise<Ending> {
  const user = 'deploy-killed';
  const trapped = cluster.providers.trap('UpdateAccessKey', 'answer-lost');
  await post(cluster, user);
  const caught = await trapped;
  const { replica } = caught;
  cluster.replica(replica).signal('SIGKILL');
  tell(`Replica ${replica} is killed (SIGKILL): AWS disabled the key, and the answer never reached it.`);
  caught.release();
  await cluster.contained(user);
  tell(`Replica ${other(replica)} took the run over, asked AWS, found it done, and went on.`);
  return endingOf(cluster, user, replica);
}
