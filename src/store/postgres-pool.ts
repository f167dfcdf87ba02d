import type { PostgresCursor, PostgresPool, PostgresPoolClient, PostgresQueryResult } from 'kysely';
import { DatabaseError, Pool, type PoolClient, type PoolConfig, types } from 'pg';
import { Failure } from '../core/failure.ts';
import { TransactionConflict } from './store.ts';

/** OID of int8. Ours are counts and milliseconds, far below 2^53. */
const INT8 = 20;

/**
 * How every session of ours is set. A process that is stopped in the middle of a transaction (SIGSTOP, a suspended machine) must
 * not keep the ledger's head from the others: the server ends its session.
 */
export const sessionConfig = (url: string): PoolConfig => ({
  connectionString: url,
  application_name: 'tourniquet',
  keepAlive: true,
  connectionTimeoutMillis: 5_000,
  idle_in_transaction_session_timeout: 3_000,
  options: '-c synchronous_commit=on -c lock_timeout=10000',
  types: { getTypeParser: (oid, format) => (oid === INT8 ? Number : types.getTypeParser(oid, format)) },
});

/** The connections for Kysely, with errors in words and text as PostgreSQL takes it. They come back by themselves after an outage. */
export function openPool(url: string, size: number): PostgresPool {
  const pool = new Pool({ ...sessionConfig(url), max: size });
  const where = placeOf(url);
  // A connection that dies rejects the queries on it, and the pool makes a new one: there is nothing else to be done about it.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  const clients = new WeakMap<PoolClient, PostgresPoolClient>();
  return {
    options: pool.options,
    async connect() {
      const client = await pool.connect().catch((error: unknown) => {
        throw inWords(error, where);
      });
      const known = clients.get(client) ?? wrap(client, where);
      clients.set(client, known);
      return known;
    },
    end: () => pool.end(),
  };
}

function wrap(client: PoolClient, where: string): PostgresPoolClient {
  function query<R>(text: string, parameters: readonly unknown[]): Promise<PostgresQueryResult<R>>;
  function query<R>(cursor: PostgresCursor<R>): PostgresCursor<R>;
  function query(text: unknown, parameters: readonly unknown[] = []): unknown {
    if (typeof text !== 'string') throw new Error('Streaming is not set up: see the cursor option of the dialect.');
    return client.query(text, parameters.map(storable)).catch((error: unknown) => {
      throw inWords(error, where);
    });
  }
  return { query, release: (destroy) => client.release(destroy) };
}

/** PostgreSQL has no NUL in text, and an attacker's commit message may: a strange title must not stop a containment. */
const storable = (value: unknown): unknown => (typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value);

/** For people: where the database is, without user and password. */
export function placeOf(url: string): string {
  const { host, pathname } = new URL(url);
  return `${host}${pathname}`;
}

/** https://www.postgresql.org/docs/current/errcodes-appendix.html */
const CONFLICTS = ['40001', '40P01'];
const GONE = ['57P01', '57P02', '57P03', '57P05', '25P03', '53300'];
const REFUSED = ['28000', '28P01', '3D000', '42501'];

/** The error as the rest of the program knows it. What the database says about our own statements stays as it is. */
export function inWords(error: unknown, where: string): unknown {
  if (!(error instanceof Error) || error instanceof Failure) return error;
  if (!(error instanceof DatabaseError)) {
    const reason = 'code' in error ? String(error.code) : error.message;
    return unreachable(where, reason, error);
  }
  const { code = '' } = error;
  if (CONFLICTS.includes(code)) return new TransactionConflict(error.message, { cause: error });
  if (code.startsWith('08') || GONE.includes(code)) return unreachable(where, error.message, error);
  if (REFUSED.includes(code))
    return new Failure('denied', `The database ${where} lets us not do that: ${error.message}. Check DATABASE_URL.`, {
      cause: error,
    });
  return error;
}

const unreachable = (where: string, reason: string, cause: unknown): Failure =>
  new Failure(
    'unavailable',
    `The database ${where} cannot be reached (${reason}). Nothing was recorded, so nothing is done; it goes on when the database is back.`,
    { cause },
  );
