import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { Kysely, type Dialect as KyselyDialect, PostgresDialect, SqliteDialect } from 'kysely';
import { Migrator } from 'kysely/migration';
import { Pool } from 'pg';
import { type Dialect, migrations } from '../../src/store/migrations.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';
import { type Postgres, startPostgres } from '../postgres.ts';

/** One way to keep a store, for tests that must hold on every one. */
export interface Kind {
  readonly name: Store['name'];
  /** How many processes may serve one database: tests open it that often. */
  readonly replicas: 1 | 2;
  /** A place for a new database, with its schema where that saves time. */
  place(): Promise<string>;
  /** A place where nothing is yet. */
  empty(): Promise<string>;
  open(place: string): Promise<Store>;
  /** Makes the database as the version whose newest migration was `newest` left it. */
  older(place: string, newest: string): Promise<void>;
  stop(): Promise<void>;
}

export async function sqliteKind(): Promise<Kind> {
  const dir = mkdtempSync(join(tmpdir(), 'tourniquet-store-'));
  let count = 0;
  const place = async (): Promise<string> => {
    count += 1;
    return join(dir, `${count}.sqlite`);
  };
  return {
    name: 'sqlite',
    replicas: 1,
    place,
    empty: place,
    open: openSqlite,
    older: (place, newest) =>
      migrateTo(new SqliteDialect({ database: new Sqlite(place) }), { name: 'sqlite', bytes: 'blob' }, newest),
    async stop() {
      rmSync(dir, { recursive: true });
    },
  };
}

/** SQLite without a disk: nothing outlives it, and nothing is waited for. */
export async function memoryKind(): Promise<Pick<Kind, 'place' | 'open' | 'stop'>> {
  const place = async (): Promise<string> => ':memory:';
  return { place, open: openSqlite, async stop() {} };
}

export async function postgresKind(): Promise<Kind & { readonly server: Postgres }> {
  const server = await startPostgres();
  const template = await server.fresh();
  await (await openPostgres(template)).close();
  return {
    name: 'postgres',
    replicas: 2,
    server,
    place: () => server.fresh(template),
    empty: () => server.fresh(),
    open: openPostgres,
    older(place, newest) {
      const pool = new Pool({ connectionString: place });
      return migrateTo(new PostgresDialect({ pool }), { name: 'postgres', bytes: 'bytea' }, newest);
    },
    stop: server.stop,
  };
}

async function migrateTo(dialect: KyselyDialect, kind: Dialect, newest: string): Promise<void> {
  const db = new Kysely<unknown>({ dialect });
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations(kind) } });
  const { error } = await migrator.migrateTo(newest);
  await db.destroy();
  if (error) throw error;
}
