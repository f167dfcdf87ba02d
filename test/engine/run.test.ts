import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { setFrozen } from '../../src/decisions/freeze.ts';
import { requestRetry } from '../../src/decisions/help.ts';
import { requestUndo } from '../../src/decisions/undo.ts';
import { type Kind, memoryKind, postgresKind } from '../store/kinds.ts';
import { createWorld as createWorldOn, type World } from './world.ts';

const revoke = (world: World, text = 'vendor.key:k1') => world.app.revoke({ text, authn: 'cli:ana', why: 'it leaked' });
const only = async (world: World) => {
  const [run] = (await world.incident()).runs;
  if (!run) throw new Error('there is no run');
  return run;
};

describe.each([
  ['SQLite', memoryKind],
  ['PostgreSQL', postgresKind],
])('a run on %s', (_name, start) => {
  let kind: Pick<Kind, 'place' | 'open' | 'stop'>;
  beforeAll(async () => {
    kind = await start();
  });
  afterAll(() => kind.stop());

  async function createWorld(more: Parameters<typeof createWorldOn>[1] = {}): Promise<World> {
    const world = await createWorldOn(async () => kind.open(await kind.place()), more);
    onTestFinished(() => world.store.close());
    return world;
  }

  it('contains at once, waits for an approval of its plan, then rotates, soaks, and retires', async () => {
    const world = await createWorld();
    await revoke(world);
    await world.settle();
    expect((await only(world)).standing).toBe('waiting-approval');
    expect(world.vendor.keys.get('k1')).toBe('off');
    expect(world.vendor.effects).toEqual(['disable']);

    expect(await world.approve()).toMatchObject({ ok: true });
    await world.settle();
    expect((await only(world)).standing).toBe('retired');
    expect(world.vendor.effects).toEqual(['disable', 'issue', 'remove']);
    expect([...world.vendor.keys]).toEqual([['k2', 'on']]);
    expect((await world.incident()).state).toBe('closed');
    expect(world.errors).toEqual([]);
  });

  it('is never approved by the person who asked for it, nor by nobody, nor for another plan', async () => {
    const world = await createWorld();
    await revoke(world);
    await world.settle();
    expect(await world.approve('cli:ana')).toMatchObject({ ok: false });
    expect(await world.approve('slack:U666')).toMatchObject({ ok: false, code: 'nobody' });
    const run = await only(world);
    const { decide } = await import('../../src/decisions/approve.ts');
    const stale = { run: run.id, planSha256: 'f'.repeat(64), verdict: 'approve', authn: 'cli:lee' } as const;
    expect(await decide(world.app.desk, stale)).toMatchObject({ ok: false, code: 'stale-plan' });
    await world.settle();
    expect(world.vendor.effects).toEqual(['disable']);
  });

  it('goes on without evidence that cannot be had, and says so', async () => {
    const world = await createWorld();
    for (let i = 0; i < 3; i += 1) world.vendor.trouble.push({ op: 'extras', code: 'unavailable', applied: false });
    await revoke(world);
    await world.settle();
    expect(world.vendor.keys.get('k1')).toBe('off');
    const assess = (await only(world)).phases[0];
    expect(assess?.steps.map((each) => each.state?.is)).toEqual(['done', 'failed']);
  });

  it.each([
    ['throttled', false],
    ['busy', false],
    ['unavailable', false],
    ['unavailable', true],
    ['timeout', true],
    ['garbled', true],
    ['bug', true],
  ] as const)('applies a change once when its call ends in %s (applied: %s)', async (code, applied) => {
    const world = await createWorld();
    world.vendor.trouble.push({ op: 'disable', code, applied });
    await revoke(world);
    await world.settle();
    expect(world.vendor.effects).toEqual(['disable']);
    expect((await only(world)).standing).toBe('waiting-approval');
  });

  it('calls a person when the provider refuses, and goes on when told to retry', async () => {
    const world = await createWorld();
    world.vendor.trouble.push({ op: 'disable', code: 'denied', applied: false });
    await revoke(world);
    await world.settle();
    expect((await only(world)).standing).toBe('needs-person');
    const { id } = await only(world);
    expect(await requestRetry(world.app.desk, { run: id, authn: 'cli:ana' })).toMatchObject({ ok: true });
    await world.settle();
    expect((await only(world)).standing).toBe('waiting-approval');
    expect(world.vendor.effects).toEqual(['disable']);
  });

  it('is not called contained while the key still works, whatever the provider answered', async () => {
    const world = await createWorld();
    await revoke(world);
    const set = world.vendor.keys.set.bind(world.vendor.keys);
    world.vendor.keys.set = (id, state) => set(id, id === 'k1' ? 'on' : state); // 200, and nothing happened
    await world.settle();
    const run = await only(world);
    expect(run.standing).toBe('needs-person');
    expect(run.milestones.contained).toBeUndefined();
  });

  it('is undone to the state recorded before, and an alert does not start it again', async () => {
    const world = await createWorld();
    await revoke(world);
    await world.settle();
    const { id } = await only(world);
    expect(await requestUndo(world.app.desk, { run: id, authn: 'cli:lee', why: 'it broke production' })).toMatchObject({
      ok: true,
    });
    await world.settle();
    expect((await only(world)).standing).toBe('undone');
    expect(world.vendor.keys.get('k1')).toBe('on');
    expect(world.vendor.effects).toEqual(['disable', 'disable.undo']);
  });

  it('cannot be undone once the old credential was destroyed: its users live on the new one', async () => {
    const world = await createWorld();
    await revoke(world);
    await world.settle();
    await world.approve();
    await world.settle();
    const { id, undoable } = await only(world);
    expect(undoable).toEqual([]);
    const said = await requestUndo(world.app.desk, { run: id, authn: 'cli:lee', why: 'regret' });
    expect(said).toMatchObject({ ok: false, code: 'nothing-to-undo' });
    expect([...world.vendor.keys]).toEqual([['k2', 'on']]);
  });

  it('says on the intent of an irreversible step, and on no other, that the log before it could not be witnessed', async () => {
    const remark = async () => 'unwitnessed: no cosignature by witness.example';
    const world = await createWorld({ remarkBeforeIrreversible: remark });
    await revoke(world);
    await world.settle();
    await world.approve();
    await world.settle();
    const { entries } = await world.incident();
    const remarked = entries.filter((entry) => entry.type === 'intent' && entry.why !== undefined);
    expect(remarked).toMatchObject([{ step: 'retire/remove', why: await remark() }]);
  });

  it('changes nothing while frozen, and goes on when thawed', async () => {
    const world = await createWorld();
    await setFrozen(world.app.desk, { frozen: true, authn: 'cli:lee', why: 'change window' });
    await revoke(world);
    await world.settle();
    expect((await only(world)).standing).toBe('frozen');
    expect(world.vendor.effects).toEqual([]);
    await setFrozen(world.app.desk, { frozen: false, authn: 'cli:lee', why: 'over' });
    await world.settle();
    expect(world.vendor.effects).toEqual(['disable']);
  });
});
