import { randomBytes, randomUUID } from 'node:crypto';
import { type App, type AppOptions, createApp } from '../../src/app.ts';
import { VirtualClock } from '../../src/core/clock.ts';
import { generateSigner } from '../../src/custody/signer.ts';
import { decide } from '../../src/decisions/approve.ts';
import { type IncidentView, listIncidents, readIncident } from '../../src/incident/view.ts';
import { emptyInventory } from '../../src/inventory.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { openRoster } from '../../src/policy/roster.ts';
import { createSeal } from '../../src/store/sealed.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import { leakedVendorKey, Vendor, vendorConnector } from './vendor.ts';

/** One bot with one vendor, on a clock that only moves when told. `reboot` is what a new process would be. */
export interface World {
  readonly vendor: Vendor;
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly errors: unknown[];
  app: App;
  reboot(store?: Store): Promise<void>;
  /** Drains and passes time until nothing is due but what waits for people, or `until` says enough. */
  settle(until?: () => boolean): Promise<void>;
  incident(): Promise<IncidentView>;
  approve(authn?: string): ReturnType<typeof decide>;
}

/** `openStore` opens an empty store: in memory unless told. `more` is what else the app is given. */
export async function createWorld(
  openStore: () => Promise<Store> = () => openSqlite(':memory:'),
  more: Partial<AppOptions> = {},
): Promise<World> {
  const vendor = new Vendor();
  const clock = new VirtualClock(new Date('2026-01-01T03:00:00.000Z'));
  const store = await openStore();
  const seal = createSeal(randomBytes(32), randomBytes);
  const signer = generateSigner('test.example/tourniquet');
  const connector = vendorConnector(vendor);
  const roster = openRoster([
    { id: 'ana', name: 'Ana', roles: ['responder'], authn: ['cli:ana'] },
    { id: 'lee', name: 'Lee', roles: ['lead', 'approver'], authn: ['cli:lee'] },
    { id: 'kim', name: 'Kim', roles: ['lead', 'approver'], authn: ['cli:kim'] },
  ]);
  const errors: unknown[] = [];
  const open = (on: Store): Promise<App> =>
    createApp({
      mode: 'drill',
      origin: signer.name,
      store: on,
      signer,
      seal,
      clock,
      tool: { name: 'tourniquet', version: 'test', configSha256: '0'.repeat(64) },
      env: {},
      guard: () => {},
      connectors: [connector.connector],
      runbooks: [leakedVendorKey(connector)],
      sources: [],
      policy: loadPolicy(undefined, roster),
      roster,
      inventory: emptyInventory,
      brake: { most: 10, windowMs: 600_000 },
      random: randomUUID,
      jitter: () => 0.5,
      onError: (error) => errors.push(error),
      ...more,
    });
  const world: World = {
    vendor,
    clock,
    store,
    errors,
    app: await open(store),
    async reboot(on = store) {
      clock.advance(31_000); // the dead process's leases run out
      world.app = await open(on);
    },
    async settle(until = () => false) {
      for (let i = 0; i < 500; i += 1) {
        const due = await world.app.drain();
        if (due === null || until()) return;
        clock.moveTo(new Date(due));
      }
      throw new Error('the run never settles');
    },
    async incident() {
      const [line] = await listIncidents(store.db, { limit: 1, open: false });
      const view = line && (await readIncident(store.db, line.id, clock.now()));
      if (!view) throw new Error('there is no incident');
      return view;
    },
    async approve(authn = 'cli:lee') {
      const run = (await world.incident()).runs[0];
      if (!run?.planSha256) throw new Error('there is no plan');
      return decide(world.app.desk, { run: run.id, planSha256: run.planSha256, verdict: 'approve', authn });
    },
  };
  return world;
}
