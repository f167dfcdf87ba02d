import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyStore } from '../../src/custody/audit.ts';
import { type Cluster, openCluster } from './cluster.ts';
import { type Ending, killed, zombie } from './scenes.ts';

describe('two replicas on one PostgreSQL', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await openCluster();
  }, 90_000);
  afterAll(() => cluster.close());

  const applied = ({ changes }: Ending): string[] =>
    changes.filter((change) => change.applied).map(({ action }) => action);

  it('outlive a stopped one that wakes as a zombie, and a killed one, with every effect exactly once', {
    timeout: 150_000,
  }, async () => {
    const slept = await zombie(cluster, () => {});
    const died = await killed(cluster, () => {});

    expect(died.results).toEqual(['contain/deny done by call', 'contain/disable done by probe']);
    expect(applied(died)).toEqual(['PutUserPolicy', 'UpdateAccessKey']);

    // Looked at last: by now the zombie had all the time it needed to do something wrong.
    const calls = slept.changes.map(({ replica, action, applied }) => ({
      first: replica === slept.failed,
      action,
      applied,
    }));
    expect(calls).toEqual([
      { first: true, action: 'PutUserPolicy', applied: true },
      { first: true, action: 'UpdateAccessKey', applied: false },
      { first: false, action: 'UpdateAccessKey', applied: true },
    ]);
    expect(slept.results).toEqual([
      'contain/deny done by call',
      'contain/disable not-done by probe',
      'contain/disable done by call',
    ]);
    expect(await verifyStore(cluster.store.db, cluster.vkey)).toMatchObject({ ok: true });

    const left = cluster.replica(died.failed === 'one' ? 'two' : 'one');
    expect(await left.drain()).toBe(0);
  });
});
