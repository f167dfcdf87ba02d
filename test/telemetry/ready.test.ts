import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { createReadiness, type Vitals } from '../../src/telemetry/ready.ts';
import { openWorld, type World } from '../ingest/world.ts';

const watch = (world: World, change: Partial<Vitals> = {}) => {
  const beat = { triage: world.clock.now(), engine: world.clock.now() };
  const gate = { view: () => ({ budgets: [], breakers: [{ connector: 'aws', standing: 'open' as const }] }) };
  return createReadiness({ ...world, beats: () => beat, gate, draining: () => false, ...change });
};

describe('readiness', () => {
  it('is there while the database takes writes, the ledger can be read and both loops move', async () => {
    await using world = await openWorld();
    expect(await watch(world)()).toMatchObject({ ready: true, because: [], ledger: { size: 0 }, down: ['aws'] });
  });

  it('is not while the database is full, or away', async () => {
    await using world = await openWorld();
    const full = { ...world.store, transaction: () => Promise.reject(new Error('database or disk is full')) };
    expect(await watch(world, { store: full })()).toMatchObject({
      ready: false,
      because: ['The database cannot be written.'],
    });
  });

  it('is not once a loop has been silent for longer than any call may take', async () => {
    await using world = await openWorld();
    const clock = new VirtualClock(world.clock.now());
    const ready = watch(world, { clock });
    clock.advance(60_000);
    expect((await ready()).ready).toBe(true);
    clock.advance(1_001);
    expect((await ready()).because).toEqual(['Triage has stopped moving.', 'The engine has stopped moving.']);
  });

  it('is not before the start, nor once it was told to stop', async () => {
    await using world = await openWorld();
    expect((await watch(world, { beats: () => null })()).because).toEqual(['It has not started yet.']);
    expect((await watch(world, { draining: () => true })()).because).toEqual(['It is stopping.']);
  });

  it('writes once, however many ask at once', async () => {
    await using world = await openWorld();
    let writes = 0;
    const { store } = world;
    const counted: typeof store = {
      ...store,
      transaction: (change) => {
        writes += 1;
        return store.transaction(change);
      },
    };
    const ready = watch(world, { store: counted });
    await Promise.all(Array.from({ length: 100 }, () => ready()));
    expect(writes).toBe(1);
  });
});
