import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, PostgresDialect, sql } from 'kysely';
import { migrate } from './migrations.ts';
import { CHANNEL, listenForNotices, payloadOf } from './postgres-notices.ts';
import { openPool } from './postgres-pool.ts';
import type { Database } from './schema.ts';
import { type Store, TransactionConflict, type Tx } from './store.ts';

/** One replica works on eight runs, triage, requests and cards; what finds no connection waits for one. */
const CONNECTIONS = 12;
/** Times that a transaction which met another is run before its caller is told. */
const ATTEMPTS = 5;
/** Any number, the same in every version: whoever migrates holds this advisory lock. */
const MIGRATING = 7_274_861;

/**
 * Opens the PostgreSQL store at `url`, and makes or migrates its schema; replicas that start at once migrate one after the other.
 * Writes are durable when they resolve (synchronous_commit). `url` must lead to PostgreSQL itself, or to a pooler in session mode:
 * LISTEN and the session's settings need that. Rejects in words when the database cannot be reached, refuses us, or is newer than
 * this program.
 */
export async function openPostgres(url: string): Promise<Store> {
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool: openPool(url, CONNECTIONS) }) });
  try {
    await migrateAlone(db);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const self = randomUUID();
  const notices = await listenForNotices(url, self);

  async function transaction<T>(change: (tx: Tx) => Promise<T>, attempt = 1): Promise<T> {
    try {
      return await db.transaction().execute(change);
    } catch (error) {
      if (!(error instanceof TransactionConflict) || attempt === ATTEMPTS) throw error;
      await sleep(2 ** attempt);
      return transaction(change, attempt + 1);
    }
  }

  return {
    name: 'postgres',
    db,
    transaction: (change) => transaction(change),
    async notify(tx, notice) {
      await sql`select pg_notify(${CHANNEL}, ${payloadOf(self, notice)})`.execute(tx);
    },
    onNotice: notices.onNotice,
    async close() {
      await notices.close();
      await db.destroy();
    },
  };
}

/** The lock belongs to the session that holds it, so one connection waits while the migrator works on others. */
async function migrateAlone(db: Kysely<Database>): Promise<void> {
  await db.connection().execute(async (session) => {
    await sql`set lock_timeout = 0`.execute(session); // a long migration of another replica is waited for
    await sql`select pg_advisory_lock(${MIGRATING}::bigint)`.execute(session);
    try {
      await migrate(db, { name: 'postgres', bytes: 'bytea' });
    } finally {
      await sql`select pg_advisory_unlock(${MIGRATING}::bigint)`.execute(session);
      await sql`reset lock_timeout`.execute(session);
    }
  });
}
