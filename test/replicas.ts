// Two real replicas on one real PostgreSQL: one is stopped and woken, one is killed, and the other finishes. `npm run demo:replicas`
import { verifyStore } from '../src/custody/audit.ts';
import { openCluster } from './replicas/cluster.ts';
import { type Ending, killed, zombie } from './replicas/scenes.ts';

const started = performance.now();
const tell = (line: string): void =>
  void process.stdout.write(`${((performance.now() - started) / 1_000).toFixed(1).padStart(6)} s  ${line}\n`);

function report({ changes, results }: Ending): void {
  for (const { replica, action, applied } of changes)
    tell(`  AWS ${applied ? 'applied ' : 'never saw'} ${action}, from replica ${replica}`);
  tell(`  the ledger: ${results.join('; ')}`);
}

tell('Starting PostgreSQL, simulated AWS and GitHub, and two replicas.');
const cluster = await openCluster();
for (const { name, url } of cluster.replicas) tell(`Replica ${name} serves ${url}`);
report(await zombie(cluster, tell));
const ending = await killed(cluster, tell);
report(ending);
const books = await verifyStore(cluster.store.db, cluster.vkey);
tell(
  books.ok ? `The ledger verifies: ${books.size} entries, one order, ${books.checkpoints} checkpoints.` : books.problem,
);
const left = cluster.replica(ending.failed === 'one' ? 'two' : 'one');
tell(`Replica ${left.name} is told to stop (SIGTERM): exit status ${await left.drain()}.`);
await cluster.close();
process.exitCode = books.ok ? 0 : 1;
