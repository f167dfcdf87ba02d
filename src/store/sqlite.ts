import Sqlite from 'better-sqlite3';
import { Kysely, SqliteDialect, sql } from 'kysely';
import { migrate } from './migrations.ts';
import type { Database } from './schema.ts';
import { keepPrepared } from './statements.ts';
import type { Store } from './store.ts';

/**
 * Opens (and creates or migrates) the SQLite store in `file`; `:memory:` for a store that nothing outlives.
 * Writes are durable when they resolve: WAL with synchronous=FULL. Throws when the file cannot be opened or migrated.
 */
export async function openSqlite(file: string): Promise<Store> {
  const raw = new Sqlite(file);
  raw.pragma('journal_mode = WAL');
  raw.pragma('synchronous = FULL');
  raw.pragma('busy_timeout = 5000');
  raw.pragma('secure_delete = ON'); // a destroyed secret must not linger in free pages
  const db = new Kysely<Database>({ dialect: new SqliteDialect({ database: keepPrepared(raw) }) });
  await migrate(db, { name: 'sqlite', bytes: 'blob' });
  return {
    name: 'sqlite',
    db,
    transaction: (change) =>
      db.transaction().execute(async (tx) => {
        // Takes the write lock at once: Kysely begins deferred, and a read that later turns into a write is refused (SQLITE_BUSY_SNAPSHOT)
        // when another process, such as the command line, wrote in between.
        await sql`update setting set value = value where key = ''`.execute(tx);
        return change(tx);
      }),
    notify: async () => {},
    onNotice: () => () => {},
    async close() {
      await db.destroy();
    },
  };
}
