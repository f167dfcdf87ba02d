import { afterEach, describe, expect, it } from 'vitest';
import { setFrozen } from '../../src/decisions/freeze.ts';
import { doneByAws, type Flow, genericDelivery, githubAlert, openFlow } from './world.ts';

let flow: Flow;
afterEach(() => flow.end());

const MINUTE_MS = 60_000;
const alertOn = (id: string, more = {}) =>
  flow.post(
    genericDelivery(flow, {
      severity: 'critical',
      exposure: 'public',
      credential: { kind: 'aws.access-key', id },
      ...more,
    }),
  );
const standings = async () =>
  Map.groupBy(
    (await flow.incidents()).flatMap((each) => each.runs),
    ({ standing }) => standing,
  );

describe('a storm of alerts', () => {
  it('of one cause is one incident, and the brake hands over to people after as many containments as it allows', async () => {
    flow = await openFlow({ brake: { most: 3, windowMs: 10 * MINUTE_MS } });
    const keys = Array.from({ length: 6 }, () => flow.key());
    const cause = { key: 'commit:abc', title: 'Someone pushed deploy.env' };
    for (let n = 0; n < 30; n += 1) await alertOn(keys[n % keys.length]?.id ?? '', { cause });
    await flow.settle();

    const incident = await flow.incident();
    expect(await flow.incidents()).toHaveLength(1);
    expect(incident.findings).toHaveLength(30);
    expect(incident.runs).toHaveLength(6);
    const automatic = keys.filter(({ id }) => !flow.world.aws.world.canUse(id));
    expect(automatic).toHaveLength(3);
    const waiting = incident.runs.filter((run) => run.milestones.contained === undefined);
    expect(waiting.map(({ action }) => action)).toEqual(
      Array.from({ length: 3 }, () => ({
        do: 'await',
        what: expect.objectContaining({ need: 'approval', people: 1, because: expect.stringContaining('brake') }),
      })),
    );

    for (const run of waiting) expect(await flow.verdict('cli:ana', 'approve', run)).toMatchObject({ ok: true });
    await flow.settle();
    expect(keys.filter(({ id }) => flow.world.aws.world.canUse(id))).toEqual([]);
    expect(doneByAws(flow, 'UpdateAccessKey')).toBe(6);
  });

  it('opens the brake again when its window is over', async () => {
    flow = await openFlow({ brake: { most: 1, windowMs: 10 * MINUTE_MS } });
    const [first, second, third] = [flow.key(), flow.key(), flow.key()];
    await alertOn(first.id);
    await flow.settle();
    await alertOn(second.id);
    await flow.settle();
    expect([first, second].map(({ id }) => flow.world.aws.world.canUse(id))).toEqual([false, true]);
    flow.clock.advance(11 * MINUTE_MS);
    await alertOn(third.id);
    await flow.settle();
    expect(flow.world.aws.world.canUse(third.id)).toBe(false);
  });

  it('on one key, from two streams, is one run with two findings', async () => {
    flow = await openFlow();
    const key = flow.key();
    await flow.post(githubAlert(flow, key.id).delivery);
    await alertOn(key.id);
    await flow.settle();
    await alertOn(key.id);
    await flow.settle();
    const incidents = await flow.incidents();
    expect(incidents.map(({ runs, findings }) => [runs.length, findings.length])).toEqual([[1, 3]]);
    expect(doneByAws(flow, 'PutUserPolicy')).toBe(1);
    expect(doneByAws(flow, 'UpdateAccessKey')).toBe(1);
  });
});

describe('a freeze', () => {
  it('in the middle of a containment lets nothing more be changed until a lead thaws it', async () => {
    flow = await openFlow();
    const key = flow.key();
    flow.world.aws.faults.inject('UpdateAccessKey', 'throttle');
    await flow.post(githubAlert(flow, key.id).delivery);
    await flow.settle(() => doneByAws(flow, 'PutUserPolicy') === 1);
    expect(doneByAws(flow, 'UpdateAccessKey')).toBe(0);

    const freeze = (frozen: boolean, authn: string) =>
      setFrozen(flow.app.desk, { frozen, authn, why: 'it is a mistake' });
    expect(await freeze(true, 'cli:ana')).toMatchObject({ ok: true });
    const later = flow.key();
    await alertOn(later.id);
    await flow.settle();
    flow.clock.advance(60 * MINUTE_MS);
    await flow.settle();
    expect([...(await standings()).keys()]).toEqual(['frozen']);
    expect([doneByAws(flow, 'PutUserPolicy'), doneByAws(flow, 'UpdateAccessKey')]).toEqual([1, 0]);
    expect(flow.world.aws.world.canUse(later.id)).toBe(true);

    expect(await freeze(false, 'cli:ana')).toMatchObject({ ok: false, code: 'not-allowed' });
    expect(await freeze(false, 'cli:lee')).toMatchObject({ ok: true });
    await flow.settle();
    expect([key, later].map(({ id }) => flow.world.aws.world.canUse(id))).toEqual([false, false]);
    expect([doneByAws(flow, 'PutUserPolicy'), doneByAws(flow, 'UpdateAccessKey')]).toEqual([2, 2]);
  });
});
