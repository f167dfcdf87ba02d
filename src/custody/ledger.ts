import type { Clock } from '../core/clock.ts';
import type { Entry, EntryDraft, Mode } from '../core/entry.ts';
import type { Store, Tx } from '../store/store.ts';

/** Where the ledger is in its log: what a checkpoint of it says. */
export interface LedgerHead {
  readonly origin: string;
  readonly size: number;
  /** RFC 6962 root hash, hex. */
  readonly root: string;
}

/** Appends `draft` to the transaction's batch and returns the entry as it will stand in the log. */
export type Append = (draft: EntryDraft) => Entry;

/**
 * The chain of custody, and the only way to change state: whoever changes a row says in the same transaction what happened.
 */
export interface Ledger {
  readonly origin: string;
  readonly mode: Mode;
  /**
   * Runs `change` in one transaction; what it appended is in the log, signed, when this resolves. Rejects, with nothing changed
   * and nothing appended, when `change` throws or the database refuses. Entries carry the sequence numbers that they will have.
   */
  commit<T>(change: (tx: Tx, append: Append) => Promise<T>): Promise<T>;
  head(): Promise<LedgerHead>;
  /** The entries of one run, in order: its journal. */
  journal(run: string): Promise<readonly Entry[]>;
  /** The entries of one incident, in order. */
  ofIncident(incident: string): Promise<readonly Entry[]>;
  /** Called after every commit that appended, with what it appended. Returns the way to stop. */
  onAppend(listener: (entries: readonly Entry[]) => void): () => void;
}

export interface LedgerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly mode: Mode;
  readonly origin: string;
  readonly tool: Entry['tool'];
}
