import type { Kysely, Transaction } from 'kysely';
import type { Database } from './schema.ts';

export type Tx = Transaction<Database>;
/** For reads that need no transaction of their own; a transaction serves as well. */
export type Reader = Kysely<Database>;

/** What another process is told: that something was written, or that there is work in it for whoever waits. */
export type Notice = 'news' | 'work';

/** A database that Tourniquet can live on. Every implementation passes test/store/store.suite.ts. */
export interface Store {
  readonly name: 'sqlite' | 'postgres';
  readonly db: Reader;
  /**
   * Runs `change` in one write transaction; all of it is durable when this resolves, none of it when it rejects. Whoever relies on
   * what it read takes the row's lock first: by writing it, or with the ledger's head. `change` may be run again when the database
   * asks for it, so it must do nothing but through `tx`; and it never awaits anything but the database: SQLite has one connection
   * and everyone waits for it. Rejects with a Failure in words when the database cannot be reached.
   */
  transaction<T>(change: (tx: Tx) => Promise<T>): Promise<T>;
  /** Tells the other processes on this database, once `tx` is durable. SQLite has no way to: there they find out by looking. */
  notify(tx: Tx, notice: Notice): Promise<void>;
  /** Called with what other processes told, and with `work` when some of it may have been missed. Returns the way to stop. */
  onNotice(listener: (notice: Notice) => void): () => void;
  close(): Promise<void>;
}

/** Two transactions stood in each other's way and this one was rolled back; run again, it may well succeed. */
export class TransactionConflict extends Error {
  override readonly name = 'TransactionConflict';
}
