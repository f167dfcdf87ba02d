import type { Kysely, Transaction } from 'kysely';
import type { Database } from './schema.ts';

export type Tx = Transaction<Database>;
/** For reads that need no transaction of their own; a transaction serves as well. */
export type Reader = Kysely<Database>;

/** A database that Tourniquet can live on. Every implementation passes test/store/store.suite.ts. */
export interface Store {
  readonly name: 'sqlite' | 'postgres';
  readonly db: Reader;
  /**
   * Runs `change` in one serialised write transaction; all of it is durable when this resolves, none of it when it rejects.
   * Never await anything but the database inside: SQLite has one connection and everyone waits for it.
   */
  transaction<T>(change: (tx: Tx) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
