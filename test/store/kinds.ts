import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openPostgres } from '../../src/store/postgres.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import { type Postgres, startPostgres } from '../postgres.ts';

/** One way to keep a store, for tests that must hold on every one. */
export interface Kind {
  readonly name: Store['name'];
  /** How many processes may serve one database: tests open it that often. */
  readonly replicas: 1 | 2;
  /** A new, empty place for a database. */
  place(): Promise<string>;
  open(place: string): Promise<Store>;
  stop(): Promise<void>;
}

export async function sqliteKind(): Promise<Kind> {
  const dir = mkdtempSync(join(tmpdir(), 'tourniquet-store-'));
  let count = 0;
  return {
    name: 'sqlite',
    replicas: 1,
    async place() {
      count += 1;
      return join(dir, `${count}.sqlite`);
    },
    open: openSqlite,
    async stop() {
      rmSync(dir, { recursive: true });
    },
  };
}

export async function postgresKind(): Promise<Kind & { readonly server: Postgres }> {
  const server = await startPostgres();
  return { name: 'postgres', replicas: 2, server, place: server.fresh, open: openPostgres, stop: server.stop };
}
