import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyStore } from '../../src/custody/audit.ts';
import type { Store } from '../../src/store/store.ts';
import { type Kind, memoryKind, postgresKind } from '../store/kinds.ts';
import { createWorld, type World } from './world.ts';

/** The process dies here: nothing that it would have done afterwards happens. */
class Death extends Error {
  override readonly name = 'Death';
}

/** Dies at the `at`-th moment that it is told of, and stays dead. */
function mortal(at: number): { pass(): void; readonly moments: number; readonly dead: boolean } {
  let moments = 0;
  let dead = false;
  return {
    pass() {
      moments += 1;
      if (moments === at) dead = true;
      if (dead) throw new Death();
    },
    get moments() {
      return moments;
    },
    get dead() {
      return dead;
    },
  };
}

/** Every transaction is two moments: before it begins, and after it is durable but before anyone was told. */
const mortalStore = (store: Store, life: ReturnType<typeof mortal>): Store => ({
  ...store,
  async transaction(change) {
    life.pass();
    const result = await store.transaction(change);
    life.pass();
    return result;
  },
});

async function live(world: World): Promise<void> {
  await world.app.revoke({ text: 'vendor.key:k1', authn: 'cli:ana', why: 'it leaked' });
  await resume(world);
}

/** Drives the incident to its end, as people would: whatever waits for an approval gets one. */
async function resume(world: World): Promise<void> {
  await world.settle();
  if ((await world.incident()).runs[0]?.standing === 'waiting-approval') await world.approve();
  await world.settle();
}

async function lifeThatDiesAt(
  kind: Pick<Kind, 'place' | 'open'>,
  at: number,
): Promise<{ world: World; moments: number; died: boolean }> {
  const world = await createWorld(async () => kind.open(await kind.place()));
  const life = mortal(at);
  world.vendor.hook = () => life.pass();
  const booted = world.reboot(mortalStore(world.store, life)).then(() => live(world));
  await booted.catch((error: unknown) => {
    if (!life.dead) throw error;
  });
  world.vendor.hook = () => {};
  return { world, moments: life.moments, died: life.dead };
}

/** How many moments are passed over between two that are tried; CRASH_MATRIX=full tries them all. */
describe.each([
  ['SQLite', memoryKind, 3],
  ['PostgreSQL', postgresKind, 14],
] as const)('a process killed at any moment, on %s,', (_name, start, sample) => {
  let kind: Pick<Kind, 'place' | 'open' | 'stop'>;
  beforeAll(async () => {
    kind = await start();
  });
  afterAll(() => kind.stop(), 300_000); // a full matrix leaves hundreds of databases to be deleted

  it('loses nothing and doubles nothing: before and after every journal write and every provider call', {
    timeout: 600_000,
  }, async () => {
    const { moments, world: unharmed } = await lifeThatDiesAt(kind, Number.POSITIVE_INFINITY);
    expect(unharmed.vendor.effects).toEqual(['disable', 'issue', 'remove']);
    expect(moments).toBeGreaterThan(60);
    await unharmed.store.close();
    const every = process.env.CRASH_MATRIX === 'full' ? 1 : sample;
    let tried = 0;
    let deaths = 0;
    for (let at = 1 + (moments % every); at <= moments; at += every) {
      const { world, died } = await lifeThatDiesAt(kind, at);
      tried += 1;
      if (died) deaths += 1; // on PostgreSQL lanes race, so that a life may have a moment fewer than the one that was counted
      await world.reboot();
      const accepted = await world.store.db.selectFrom('inbox').select('id').executeTakeFirst();
      if (!accepted) {
        await world.store.close(); // it died before the request was accepted: nobody was told that it was
        continue;
      }
      await resume(world);
      expect({ at, effects: world.vendor.effects }).toEqual({ at, effects: ['disable', 'issue', 'remove'] });
      expect([...world.vendor.keys]).toEqual([['k2', 'on']]);
      expect((await world.incident()).runs[0]?.standing).toBe('retired');
      expect(await verifyStore(world.store.db, world.app.options.signer.vkey)).toMatchObject({ ok: true });
      await world.store.close();
    }
    expect(deaths).toBeGreaterThanOrEqual(Math.floor(tried * 0.8));
  });
});
