import { afterEach, describe, expect, it } from 'vitest';
import { requestUndo } from '../../src/decisions/undo.ts';
import { type Flow, genericDelivery, githubAlert, githubDelivery, openFlow, userState, WEB } from './world.ts';

let flow: Flow;
afterEach(() => flow.end());

const undo = async (authn = 'cli:ana') =>
  requestUndo(flow.app.desk, { run: (await flow.run()).id, authn, why: 'it is a test key of ours' });

/** A contained key whose user had policies and a second key before. */
async function contained() {
  const key = flow.key();
  flow.key(key.user);
  flow.world.aws.world.user('123456789012', key.user).policies.set('Own', denyNothing);
  const before = userState(flow, key.user);
  const { delivery, number } = githubAlert(flow, key.id);
  await flow.post(delivery);
  await flow.settle();
  expect(flow.world.aws.world.canUse(key.id)).toBe(false);
  expect(userState(flow, key.user)).not.toEqual(before);
  return { key, before, delivery, number };
}
const denyNothing = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: ['s3:GetObject'], Resource: ['*'] }],
});

describe('the undo of a contained AWS key', () => {
  it('restores exactly what was there before, and says so', async () => {
    flow = await openFlow();
    const { key, before } = await contained();
    expect(await undo()).toMatchObject({ ok: true });
    await flow.settle();
    expect(userState(flow, key.user)).toEqual(before);
    flow.clock.advance(5_000); // AWS takes a while to mean it
    expect(flow.world.aws.world.canUse(key.id)).toBe(true);
    expect(await flow.run()).toMatchObject({ standing: 'undone' });
    expect(await flow.incident()).toMatchObject({ state: 'closed' });
  });

  it('is not undone by the alert coming again: only a person starts it anew', async () => {
    flow = await openFlow();
    const { key, before, delivery, number } = await contained();
    await undo();
    await flow.settle();
    expect(await flow.post(delivery)).toMatchObject({ body: { status: 'duplicate' } });
    const again = { ...githubDelivery(flow.world, { ...WEB, number }) };
    expect(await flow.post(again)).toMatchObject({ body: { status: 'accepted' } });
    const credential = { kind: 'aws.access-key', id: key.id };
    await flow.post(genericDelivery(flow, { severity: 'critical', exposure: 'public', credential }));
    await flow.settle();
    expect(userState(flow, key.user)).toEqual(before);
    const told = (await flow.incidents())
      .flatMap(({ findings }) => findings)
      .filter(({ verdict }) => verdict === 'told');
    expect(told.map(({ because }) => because)).toEqual([
      'this finding was handled before',
      expect.stringContaining('only a person starts it again'),
    ]);

    const said = await flow.app.revoke({ text: key.id, authn: 'cli:ana', why: 'it is in use after all' });
    expect(said).toMatchObject({ ok: true });
    await flow.settle();
    expect(flow.world.aws.world.canUse(key.id)).toBe(false);
    expect((await flow.run()).state.opened.requestedBy).toBe('ana');
  });

  it('goes on after a fault in the middle, and does nothing twice', async () => {
    flow = await openFlow();
    const { key, before } = await contained();
    flow.world.aws.faults.inject('UpdateAccessKey', 'drop-after');
    flow.world.aws.faults.inject('DeleteUserPolicy', 'throttle', 2);
    await undo();
    await flow.settle();
    expect(userState(flow, key.user)).toEqual(before);
    expect(await flow.run()).toMatchObject({ standing: 'undone' });
  });

  it('is refused to whoever nobody knows, and without a reason', async () => {
    flow = await openFlow();
    const { key } = await contained();
    expect(await undo('cli:mallory')).toMatchObject({ ok: false, code: 'nobody' });
    expect(await undo('cli:kim')).toMatchObject({ ok: false, code: 'not-allowed' });
    const run = (await flow.run()).id;
    expect(await requestUndo(flow.app.desk, { run, authn: 'cli:ana', why: ' ' })).toMatchObject({ ok: false });
    await flow.settle();
    expect(flow.world.aws.world.canUse(key.id)).toBe(false);
  });

  it('of a removed deploy key puts the same public half back', async () => {
    flow = await openFlow();
    const { world } = flow.world.github;
    const leaked = world.addDeployKey(WEB, { title: 'deploy', readOnly: true });
    flow.plant(leaked.privateKey);
    const shown = () =>
      world
        .repository(WEB)
        .keys.map(({ title, readOnly, key }) => ({ title, readOnly, key: key.split(' ').slice(0, 2) }));
    const before = shown();
    await flow.post(githubAlert(flow, leaked.privateKey, { secretType: 'ssh_private_key' }).delivery);
    await flow.settle();
    expect(shown()).toEqual([]);
    expect(await undo()).toMatchObject({ ok: true });
    await flow.settle();
    expect(shown()).toEqual(before);
  });
});
