import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { serve } from '@hono/node-server';
import { VirtualClock } from '../../src/core/clock.ts';
import type { Entry } from '../../src/core/entry.ts';
import { type Ledger, openLedger } from '../../src/custody/ledger.ts';
import { generateSigner } from '../../src/custody/signer.ts';
import type { BodyLimits } from '../../src/ingest/body.ts';
import { createInbox, type Inbox } from '../../src/ingest/inbox.ts';
import { ingestRoutes } from '../../src/ingest/server.ts';
import type { WebhookSource } from '../../src/ingest/source.ts';
import type { Uploads } from '../../src/ingest/uploads.ts';
import { createSeal, type Seal } from '../../src/store/sealed.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';

export const NOW = new Date('2026-05-04T10:00:10.000Z');
const ORIGIN = 'test.example/tourniquet';

export interface World extends AsyncDisposable {
  readonly clock: VirtualClock;
  readonly store: Store;
  readonly seal: Seal;
  readonly ledger: Ledger;
  readonly inbox: Inbox;
  /** The `alert.received` entries, in order. */
  received(): Promise<readonly Extract<Entry, { type: 'alert.received' }>[]>;
  /** Every byte of the database: main file and write-ahead log. */
  bytesOnDisk(): Buffer;
}

/** A real ledger and inbox on a real SQLite file. */
export async function openWorld(): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), 'ingest-'));
  const clock = new VirtualClock(NOW);
  const store = await openSqlite(join(folder, 'store.db'));
  const seal = createSeal(randomBytes(32), randomBytes);
  const ledger = await openLedger({
    store,
    clock,
    mode: 'live',
    origin: ORIGIN,
    tool: { name: 'tourniquet', version: '0', configSha256: '0'.repeat(64) },
    signer: generateSigner(ORIGIN),
    random: randomUUID,
  });
  const inbox = createInbox({ ledger, db: store.db, seal, clock, random: randomUUID });
  return {
    clock,
    store,
    seal,
    ledger,
    inbox,
    async received() {
      const rows = await store.db.selectFrom('ledger').select('bytes').orderBy('seq').execute();
      const entries = rows.map(({ bytes }): Entry => JSON.parse(bytes.toString()));
      return entries.filter((entry) => entry.type === 'alert.received');
    },
    bytesOnDisk: () => Buffer.concat(readdirSync(folder).map((file) => readFileSync(join(folder, file)))),
    async [Symbol.asyncDispose]() {
      await store.close();
      rmSync(folder, { recursive: true });
    },
  };
}

export interface Served extends AsyncDisposable {
  readonly port: number;
  readonly visited: string[];
  readonly troubles: unknown[];
  /** How often triage was woken. */
  woken(): number;
  post(source: string, body: string | Buffer, headers?: Record<string, string>): Promise<Response>;
}

/** The routes on a real port. */
export async function serveIngest(
  world: Pick<World, 'inbox' | 'clock'>,
  sources: readonly WebhookSource[],
  more: {
    readonly limits?: BodyLimits;
    readonly uploads?: Uploads;
    readonly visit?: (url: string) => Promise<void>;
  } = {},
): Promise<Served> {
  const visited: string[] = [];
  const troubles: unknown[] = [];
  let woken = 0;
  const app = ingestRoutes({
    sources,
    inbox: world.inbox,
    clock: world.clock,
    ...(more.uploads ? { uploads: more.uploads } : {}),
    limits: more.limits ?? { maxBytes: 64 * 1024, withinMs: 5_000 },
    onAccepted: () => {
      woken += 1;
    },
    visit: async (url) => {
      visited.push(url);
      await more.visit?.(url);
    },
    onTrouble: (error) => troubles.push(error),
  });
  const server = serve({ fetch: app.fetch, port: 0 });
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    visited,
    troubles,
    woken: () => woken,
    post: (source, body, headers = {}) =>
      fetch(`http://127.0.0.1:${port}/webhooks/${source}`, {
        method: 'POST',
        body: new Uint8Array(Buffer.from(body)),
        headers,
      }),
    async [Symbol.asyncDispose]() {
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
