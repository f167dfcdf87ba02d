import type { Delivery } from '../../src/drill/scenario.ts';

/** Everything that a bot under test is opened with; the same for the process that dies and for the one that goes on. */
export interface Stage {
  readonly dir: string;
  /** A PostgreSQL URL; null for the SQLite file in `dir`. */
  readonly database: string | null;
  /** The connectors' settings: they point at the simulators in the parent. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly inventory: string;
  readonly webhookSecret: string;
}

/**
 * A transaction of one process, numbered from 1: those that write to the journal, and those that only move a lease. `before`: all
 * is written and nothing committed; `after`: it is durable and nobody was told.
 */
export interface Moment {
  readonly of: 'journal' | 'lease';
  readonly number: number;
  readonly when: 'before' | 'after';
}

/** How many transactions there were. */
export type Counts = Readonly<Record<Moment['of'], number>>;

/** What the parent may ask of a bot. `at` is the time on its clock, in milliseconds since the epoch. */
export type Command =
  | { readonly do: 'open'; readonly stage: Stage; readonly at: number; readonly dieAt: Moment | null }
  | { readonly do: 'post'; readonly at: number; readonly delivery: Delivery }
  /** Moves everything that is due, then lets people decide what they are asked. */
  | { readonly do: 'turn'; readonly at: number }
  | { readonly do: 'ending' }
  /** Runs one statement on the open database, as its administrator would. */
  | { readonly do: 'sql'; readonly text: string };

export interface Turn {
  readonly due: number | null;
  readonly decided: boolean;
  readonly state: 'none' | 'open' | 'closed';
  /** Of each run, as lists show it. */
  readonly standings: readonly string[];
  readonly errors: readonly string[];
}

/** How it all stands when nothing more will happen, as far as the bot's own books tell. */
export interface Books {
  readonly incidents: number;
  readonly standings: readonly string[];
  /** What verifying the whole ledger says. */
  readonly ledger: string;
  /** Steps with more than one `done`. */
  readonly doubled: readonly string[];
  /** Alerts that wait, secrets still kept: there must be none. */
  readonly left: number;
  readonly incident: string | null;
}

export interface Answers {
  open: null;
  post: { readonly status: number };
  turn: Turn & { readonly counts: Counts };
  ending: Books;
  sql: null;
}

export type Message = { readonly id: number; readonly command: Command };
export type Reply =
  | { readonly id: number; readonly ok: true; readonly value: Answers[keyof Answers] }
  | { readonly id: number; readonly ok: false; readonly error: string };
