import { type Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import type { Database } from './schema.ts';

/** What differs between the databases, and nothing else does. */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres';
  readonly bytes: 'blob' | 'bytea';
}

/** Forward only. A migration that has shipped is never edited; the next change gets the next name. */
export const migrations = ({ bytes }: Dialect): Record<string, Migration> => ({
  '0001-first': {
    async up(db) {
      await db.schema
        .createTable('ledger')
        .addColumn('seq', 'bigint', (c) => c.primaryKey())
        .addColumn('incident', 'text')
        .addColumn('run', 'text')
        .addColumn('type', 'text', (c) => c.notNull())
        .addColumn('bytes', sql.raw(bytes), (c) => c.notNull())
        .addColumn('leaf', 'text', (c) => c.notNull())
        .execute();
      await db.schema.createIndex('ledger_by_run').on('ledger').columns(['run', 'seq']).execute();
      await db.schema.createIndex('ledger_by_incident').on('ledger').columns(['incident', 'seq']).execute();
      await db.schema
        .createTable('ledger_head')
        .addColumn('id', 'integer', (c) => c.primaryKey())
        .addColumn('size', 'bigint', (c) => c.notNull())
        .addColumn('range', 'text', (c) => c.notNull())
        .execute();
      await db.schema
        .createTable('checkpoint')
        .addColumn('size', 'bigint', (c) => c.primaryKey())
        .addColumn('note', 'text', (c) => c.notNull())
        .addColumn('at', 'text', (c) => c.notNull())
        .execute();
      await db.schema
        .createTable('inbox')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('source', 'text', (c) => c.notNull())
        .addColumn('dedupe_key', 'text', (c) => c.notNull().unique())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('severity', 'integer', (c) => c.notNull())
        .addColumn('received_at', 'text', (c) => c.notNull())
        .addColumn('attempts', 'integer', (c) => c.notNull())
        .addColumn('not_before_ms', 'bigint', (c) => c.notNull())
        .addColumn('body', sql.raw(bytes))
        .addColumn('because', 'text')
        .execute();
      await db.schema.createIndex('inbox_next').on('inbox').columns(['state', 'severity', 'not_before_ms']).execute();
      await db.schema
        .createTable('incident')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('number', 'integer', (c) => c.notNull().unique())
        .addColumn('cause_key', 'text', (c) => c.notNull())
        .addColumn('title', 'text', (c) => c.notNull())
        .addColumn('severity', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('opened_at', 'text', (c) => c.notNull())
        .addColumn('closed_at', 'text')
        .addColumn('revision', 'integer', (c) => c.notNull())
        .execute();
      await db.schema.createIndex('incident_by_cause').on('incident').columns(['cause_key', 'state']).execute();
      await db.schema
        .createTable('finding')
        .addColumn('dedupe_key', 'text', (c) => c.primaryKey())
        .addColumn('incident', 'text', (c) => c.notNull())
        .addColumn('run', 'text')
        .addColumn('seen', 'integer', (c) => c.notNull())
        .addColumn('first_seen_at', 'text', (c) => c.notNull())
        .addColumn('last_seen_at', 'text', (c) => c.notNull())
        .execute();
      await db.schema
        .createTable('run')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('incident', 'text', (c) => c.notNull())
        .addColumn('runbook', 'text', (c) => c.notNull())
        .addColumn('credential_kind', 'text', (c) => c.notNull())
        .addColumn('credential_id', 'text', (c) => c.notNull())
        .addColumn('lock_key', 'text', (c) => c.unique())
        .addColumn('opened_at', 'text', (c) => c.notNull())
        .addColumn('wake_at_ms', 'bigint')
        .addColumn('priority', 'integer', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('status', 'text', (c) => c.notNull())
        .addColumn('lease_owner', 'text')
        .addColumn('lease_until_ms', 'bigint', (c) => c.notNull())
        .addColumn('epoch', 'integer', (c) => c.notNull())
        .execute();
      await db.schema.createIndex('run_next').on('run').columns(['state', 'wake_at_ms', 'priority']).execute();
      await db.schema
        .createIndex('run_by_credential')
        .on('run')
        .columns(['credential_kind', 'credential_id'])
        .execute();
      await db.schema
        .createTable('sealed')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('fingerprint', 'text', (c) => c.notNull())
        .addColumn('ciphertext', sql.raw(bytes))
        .addColumn('created_at', 'text', (c) => c.notNull())
        .addColumn('destroyed_at', 'text')
        .execute();
      await db.schema
        .createTable('card')
        .addColumn('incident', 'text', (c) => c.primaryKey())
        .addColumn('channel', 'text', (c) => c.notNull())
        .addColumn('ts', 'text', (c) => c.notNull())
        .addColumn('revision', 'integer', (c) => c.notNull())
        .addColumn('told_seq', 'bigint', (c) => c.notNull())
        .execute();
      await db.schema
        .createTable('delivery')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('at_ms', 'bigint', (c) => c.notNull())
        .execute();
      await db.schema
        .createTable('setting')
        .addColumn('key', 'text', (c) => c.primaryKey())
        .addColumn('value', 'text', (c) => c.notNull())
        .execute();
    },
  },
  '0002-leader': {
    async up(db) {
      await db.schema
        .createTable('leader')
        .addColumn('name', 'text', (c) => c.primaryKey())
        .addColumn('owner', 'text', (c) => c.notNull())
        .addColumn('until_ms', 'bigint', (c) => c.notNull())
        .execute();
    },
  },
  '0003-anchors': {
    async up(db) {
      await db.schema
        .createTable('anchor')
        .addColumn('size', 'bigint', (c) => c.notNull())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('bytes', sql.raw(bytes), (c) => c.notNull())
        .addColumn('at', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('anchor_key', ['size', 'kind', 'name'])
        .execute();
      await db.schema
        .createTable('tree_node')
        .addColumn('level', 'integer', (c) => c.notNull())
        .addColumn('idx', 'bigint', (c) => c.notNull())
        .addColumn('hash', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('tree_node_key', ['level', 'idx'])
        .execute();
    },
  },
  '0004-entries-of-the-log': {
    async up(db) {
      // Two in a million entries: they go with every bundle, and must be found without reading the log.
      await sql`create index ledger_heartbeats on ledger (seq) where type = 'heartbeat'`.execute(db);
      await sql`create index ledger_key_rotations on ledger (seq) where type = 'key.rotate'`.execute(db);
    },
  },
});

/** What Kysely keeps about the migrations that ran. */
const HISTORY = 'kysely_migration';

/**
 * Brings the database to this program's schema. Throws when the database is newer than the program (a rolled-back deploy),
 * or when a migration fails; nothing is half applied.
 */
export async function migrate(db: Kysely<Database>, dialect: Dialect): Promise<void> {
  const known = migrations(dialect);
  const strangers = (await migrated(db)).filter((name) => !Object.hasOwn(known, name));
  if (strangers.length > 0) {
    throw new Error(
      `The database was made by a newer version of Tourniquet (it has ${strangers.join(', ')}): start that version, or restore a ` +
        'backup. Nothing was changed.',
    );
  }
  const migrator = new Migrator({ db, provider: { getMigrations: async () => known } });
  const { error, results } = await migrator.migrateToLatest();
  if (!error) return;
  const failed = results?.find((result) => result.status === 'Error')?.migrationName;
  if (failed === undefined) throw error;
  throw new Error(
    `The database cannot be used: the migration ${failed} failed and was rolled back. (${error instanceof Error ? error.message : String(error)})`,
    { cause: error },
  );
}

/** The migrations that this database has had. */
async function migrated(db: Kysely<Database>): Promise<readonly string[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === HISTORY)) return [];
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(HISTORY)}`.execute(db);
  return rows.map(({ name }) => name);
}
