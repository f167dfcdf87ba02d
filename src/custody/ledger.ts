import { hash } from 'node:crypto';
import type { Clock } from '../core/clock.ts';
import type { Entry, EntryDraft, Mode } from '../core/entry.ts';
import type { Store, Tx } from '../store/store.ts';
import { canonicalJson, encode, NotCanonical, sha256OfJson, tidy } from './canonical.ts';
import { signCheckpoint } from './checkpoint.ts';
import { BadEntry, parseEntry } from './envelope.ts';
import { type Enlist, groupCommits } from './group.ts';
import { appendLeaf, type CompactRange, rootOf } from './merkle.ts';
import { isKeyName } from './note.ts';
import { readEntries } from './read.ts';
import { rowOf } from './row.ts';
import type { Signer } from './signer.ts';
import { checkHead, initialise, lockHead, readHead, writeHead } from './state.ts';

/** Where the ledger is in its log: what a checkpoint of it says. */
export interface LedgerHead {
  readonly origin: string;
  readonly size: number;
  /** RFC 6962 root hash, hex. */
  readonly root: string;
}

/**
 * Appends `draft` to the transaction's batch and returns the entry as it will stand in the log: text in NFC, `undefined` left
 * out. Throws EntryRefused when the draft cannot stand in a ledger; the transaction may go on without it.
 */
export type Append = (draft: EntryDraft) => Entry;

/**
 * The chain of custody, and the only way to change state: whoever changes a row says in the same transaction what happened.
 */
export interface Ledger {
  readonly origin: string;
  readonly mode: Mode;
  /**
   * Runs `change` in one transaction; what it appended is in the log, signed, when this resolves. Rejects, with nothing changed
   * and nothing appended, when `change` throws or the database refuses. Entries carry the sequence numbers that they will have,
   * from 0. Commits that arrive while another is under way share the next transaction and its checkpoint, one after the other;
   * one that throws is taken out and disturbs none of them. `change` may be run again (see Store.transaction), and never commits
   * itself: it would wait for its own end.
   */
  commit<T>(change: (tx: Tx, append: Append) => Promise<T>): Promise<T>;
  head(): Promise<LedgerHead>;
  /** The entries of one run, in order: its journal. Throws when a row was changed behind the ledger's back. */
  journal(run: string): Promise<readonly Entry[]>;
  /** The entries of one incident, in order. Throws when a row was changed behind the ledger's back. */
  ofIncident(incident: string): Promise<readonly Entry[]>;
  /** Called after every commit that appended, with what it appended. Returns the way to stop. */
  onAppend(listener: (entries: readonly Entry[]) => void): () => void;
}

export interface LedgerOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly mode: Mode;
  /** The log's name, unique in the world: `example.org/tourniquet`. No spaces, no plus signs. */
  readonly origin: string;
  readonly tool: Entry['tool'];
  /** Its name is the origin. */
  readonly signer: Signer;
  /** A fresh UUID at every call: entry ids, and the id of this boot. */
  readonly random: () => string;
}

/** A draft that cannot stand in a ledger; the message says which type, which field and what to do. */
export class EntryRefused extends Error {
  override readonly name = 'EntryRefused';
}

/** Inserted per statement: SQLite takes 32,766 bound values and a row has six. */
const ROWS_PER_INSERT = 1_000;

/**
 * Opens the ledger in `store`, beginning a new log when it is empty. Throws when the store holds another log, when the key is
 * not the one that signed it, or when its head, its last checkpoint and its rows contradict each other.
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const { store, clock, mode, origin, tool, signer } = options;
  if (!isKeyName(origin))
    throw new Error(`"${origin}" cannot be a log's origin: it must hold neither spaces nor plus signs`);
  if (signer.name !== origin)
    throw new Error(`The key of ${signer.name} cannot sign the log ${origin}: every log has its own key`);
  const bootId = options.random();
  await store.transaction(async (tx) => {
    await initialise(tx);
    await lockHead(tx, store.name); // another replica may be writing while this one starts
    await checkHead(tx, signer.vkey);
  });
  const listeners = new Set<(entries: readonly Entry[]) => void>();

  const finish = (draft: EntryDraft, seq: number): Sealed =>
    seal({
      ...draft,
      v: 1,
      ledger: origin,
      seq,
      id: options.random(),
      time: {
        utc: clock.now().toISOString(),
        source: clock.source,
        monotonicNs: String(clock.monotonicNs()),
        bootId,
      },
      mode,
      tool,
    });

  const commit = groupCommits<Sealed>({
    store,
    lock: (tx) => lockHead(tx, store.name),
    async write(tx, head, batch) {
      await write(tx, head, batch, { origin, signer, at: clock.now() });
      await store.notify(tx, batch.some(({ entry }) => isWork(entry)) ? 'work' : 'news');
    },
    written: (batch) =>
      tell(
        listeners,
        batch.map(({ entry }) => entry),
      ),
  });
  const appendThrough =
    (enlist: Enlist<Sealed>): Append =>
    (draft) =>
      enlist((seq) => finish(draft, seq)).entry;

  return {
    origin,
    mode,
    commit: (change) => commit((tx, enlist) => change(tx, appendThrough(enlist))),
    async head() {
      const range = await readHead(store.db);
      return { origin, size: range.size, root: rootOf(range) };
    },
    journal: (run) => readEntries(store.db, 'run', run),
    ofIncident: (incident) => readEntries(store.db, 'incident', incident),
    onAppend(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** Whether someone besides its writer has something to do now: whatever does not come from the engine itself. */
export const isWork = ({ actor }: Entry): boolean => actor.kind !== 'bot' || actor.authn === 'triage';

/** An entry with the bytes that are hashed for it. */
interface Sealed {
  readonly entry: Entry;
  readonly bytes: Buffer;
}

function seal(entry: Entry): Sealed {
  try {
    const clean = tidy(entry.type === 'plan' ? { ...entry, sha256: planNameOf(entry) } : entry);
    return { entry: parseEntry(clean), bytes: encode(clean) };
  } catch (error) {
    if (!(error instanceof NotCanonical) && !(error instanceof BadEntry)) throw error;
    throw new EntryRefused(`The ledger refuses this entry of type ${entry.type}. ${error.message}`, { cause: error });
  }
}

/** A plan is named by the hash of what the log will hold: where tidying changed its text, its name changes with it. */
function planNameOf({ plan, sha256 }: Extract<Entry, { type: 'plan' }>): string {
  const written = sha256OfJson(plan);
  if (sha256 === written || sha256 === hash('sha256', canonicalJson(plan), 'hex')) return written;
  throw new BadEntry('sha256: is not that of the plan');
}

async function write(
  tx: Tx,
  head: CompactRange,
  batch: readonly Sealed[],
  { origin, signer, at }: { origin: string; signer: Signer; at: Date },
): Promise<void> {
  const rows = batch.map(({ entry, bytes }) => rowOf(entry, bytes));
  for (let i = 0; i < rows.length; i += ROWS_PER_INSERT) {
    await tx
      .insertInto('ledger')
      .values(rows.slice(i, i + ROWS_PER_INSERT))
      .execute();
  }
  const range = rows.reduce((before, { leaf }) => appendLeaf(before, leaf), head);
  await writeHead(tx, range);
  const note = signCheckpoint({ origin, size: range.size, root: rootOf(range) }, signer);
  await tx.insertInto('checkpoint').values({ size: range.size, note, at: at.toISOString() }).execute();
}

/** What is committed is committed: a listener that fails must fail alone, and where the process notices. */
function tell(listeners: ReadonlySet<(entries: readonly Entry[]) => void>, entries: readonly Entry[]): void {
  for (const listener of listeners) {
    try {
      listener(entries);
    } catch (error) {
      process.emitWarning(error instanceof Error ? error : String(error), 'LedgerListener');
    }
  }
}
