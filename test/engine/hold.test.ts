import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { type Hold, holdLease } from '../../src/engine/hold.ts';
import { claim, LEASE_MS, type Lease, Superseded } from '../../src/engine/lease.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import { ledgerOn, openRuns } from '../store/replica.ts';
import { createWorld } from './world.ts';

const NOW = new Date('2026-01-01T03:00:00.000Z');

describe('a lease that is held', () => {
  beforeEach(() => vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] }));
  afterEach(() => vi.useRealTimers());

  interface Held {
    readonly store: Store;
    readonly clock: VirtualClock;
    readonly lease: Lease;
    readonly hold: Hold;
    /** Time passes, and with it the timers. */
    pass(ms: number): Promise<void>;
    outage: boolean;
  }

  async function held(): Promise<Held> {
    const store = await openSqlite(':memory:');
    const clock = new VirtualClock(NOW);
    await openRuns(await ledgerOn(store, clock), 1, NOW);
    const sinceNs = clock.monotonicNs();
    const lease = await claim(store, 'first', clock.now());
    if (!lease) throw new Error('there was nothing to take');
    const away: Store['transaction'] = async () => Promise.reject(new Error('the database is away'));
    const through: Store = {
      ...store,
      transaction: (change) => (world.outage ? away(change) : store.transaction(change)),
    };
    const hold = holdLease(through, lease, clock, sinceNs);
    onTestFinished(async () => {
      hold.end();
      await store.close();
    });
    const world: Held = {
      store,
      clock,
      lease,
      hold,
      outage: false,
      async pass(ms) {
        for (let passed = 0; passed < ms; passed += 500) {
          clock.advance(500);
          await vi.advanceTimersByTimeAsync(500);
          await store.transaction(async () => {}); // what the timers began is over when this is
        }
      },
    };
    return world;
  }

  it('outlasts a provider that takes 20 seconds', async () => {
    const { hold, store, clock, pass } = await held();
    await pass(20_000);
    expect(await claim(store, 'second', clock.now())).toBe(null);
    expect(() => hold.check()).not.toThrow();
  });

  it('is not believed in any more before others may take the run, when the database cannot be reached', async () => {
    const world = await held();
    world.outage = true;
    await world.pass(LEASE_MS - 1_000);
    expect(() => world.hold.check()).not.toThrow();
    await world.pass(1_000);
    expect(() => world.hold.check()).toThrow(Superseded);
    expect(world.hold.lost.aborted).toBe(true);
  });

  it('is lost as soon as it is known that another took the run over, and what is under way is told to end', async () => {
    const { hold, store, clock, pass } = await held();
    const other = await claim(store, 'second', new Date(clock.now().getTime() + LEASE_MS));
    expect(other?.epoch).toBe(2);
    await pass(2_000);
    expect(hold.lost.aborted).toBe(true);
    expect(() => hold.check()).toThrow(Superseded);
  });

  it('is over for a process that was stopped for as long as it lasts, though no timer ran', async () => {
    const { hold, clock } = await held();
    clock.advance(LEASE_MS);
    expect(() => hold.check()).toThrow(Superseded);
  });
});

describe('a worker that is stopped between its intent and its call', () => {
  it('does not call when it wakes; the provider is asked first, by whoever has the run then', async () => {
    const world = await createWorld();
    onTestFinished(() => world.store.close());
    let stopped = 0;
    world.app.ledger.onAppend((entries) => {
      if (stopped > 0 || !entries.some((entry) => entry.type === 'intent' && entry.step === 'contain/disable')) return;
      stopped = world.vendor.calls.length;
      world.clock.advance(LEASE_MS);
    });
    await world.app.revoke({ text: 'vendor.key:k1', authn: 'cli:ana', why: 'it leaked' });
    await world.settle();
    expect(stopped).toBeGreaterThan(0);
    expect(world.vendor.calls[stopped]).toBe('disable.probe');
    expect(world.vendor.effects).toEqual(['disable']);
    expect(world.errors).toEqual([]);
  });
});
