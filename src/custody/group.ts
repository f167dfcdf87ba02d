import { sql } from 'kysely';
import { Failure } from '../core/failure.ts';
import { type Store, TransactionConflict, type Tx } from '../store/store.ts';
import type { CompactRange } from './merkle.ts';

/** Makes an item of the log for the sequence number that it gets, and puts it into the batch. Throws once its change has ended. */
export type Enlist<Item> = (make: (seq: number) => Item) => Item;

export type Change<Item, T> = (tx: Tx, enlist: Enlist<Item>) => Promise<T>;

export interface GroupOptions<Item> {
  readonly store: Store;
  /** Takes the right to append, and gives the log's head. */
  readonly lock: (tx: Tx) => Promise<CompactRange>;
  readonly write: (tx: Tx, head: CompactRange, batch: readonly Item[]) => Promise<void>;
  /** Called once the batch is durable, before any of its callers is told. */
  readonly written: (batch: readonly Item[]) => void;
}

/** Bounds how long one transaction holds the log's head; what is beyond it goes into the next. */
const MOST = 64;

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A caller of commit who waits. */
interface Waiting<Item> {
  /** Runs the change; gives the way to tell the caller that it is durable. Rejects when the change throws. */
  readonly attempt: Change<Item, () => void>;
  readonly fail: (error: unknown) => void;
}

/**
 * Group commit: while one transaction is under way the next changes gather, and then share one: one lock of the head, one
 * checkpoint, one fsync. A change that throws is rolled back to its savepoint and fails alone. Resolves when durable.
 */
export function groupCommits<Item>(options: GroupOptions<Item>): <T>(change: Change<Item, T>) => Promise<T> {
  const waiting: Waiting<Item>[] = [];
  let busy = false;

  async function pump(): Promise<void> {
    if (busy) return;
    busy = true;
    while (waiting.length > 0) {
      await commitTogether(options, waiting.splice(0, MOST));
      await turn(); // whoever only reads, and whoever just came, would otherwise wait for the end of a flood of commits
    }
    busy = false;
  }

  return (change) =>
    new Promise((resolve, reject) => {
      const attempt: Change<Item, () => void> = async (tx, enlist) => {
        const result = await change(tx, enlist);
        return () => resolve(result);
      };
      waiting.push({ attempt, fail: reject });
      void pump();
    });
}

async function commitTogether<Item>(
  { store, lock, write, written }: GroupOptions<Item>,
  group: readonly Waiting<Item>[],
): Promise<void> {
  try {
    const { batch, ends } = await store.transaction(async (tx) => {
      const head = await lock(tx);
      const batch: Item[] = [];
      const ends: (() => void)[] = [];
      for (const each of group) {
        const alone = group.length === 1;
        ends.push(await one(tx, each, { base: head.size, batch, alone }));
      }
      if (batch.length > 0) await write(tx, head, batch);
      return { batch, ends };
    });
    if (batch.length > 0) written(batch);
    for (const end of ends) end();
  } catch (error) {
    for (const { fail } of group) fail(error);
  }
}

/** One change of a batch. Gives what to do once the batch is durable: tell its caller that it is, or that it failed. */
async function one<Item>(
  tx: Tx,
  { attempt, fail }: Waiting<Item>,
  { base, batch, alone }: { readonly base: number; readonly batch: Item[]; readonly alone: boolean },
): Promise<() => void> {
  const mark = batch.length;
  let open = true;
  const enlist: Enlist<Item> = (make) => {
    if (!open) throw new Error('append was called after its transaction ended: await everything inside commit');
    const item = make(base + batch.length);
    batch.push(item);
    return item;
  };
  if (!alone) await sql`savepoint change`.execute(tx);
  try {
    const done = await attempt(tx, enlist).finally(() => {
      open = false;
    });
    if (!alone) await sql`release savepoint change`.execute(tx);
    return done;
  } catch (error) {
    if (alone || endsTransaction(error)) throw error;
    batch.length = mark;
    await sql`rollback to savepoint change`.execute(tx);
    await sql`release savepoint change`.execute(tx);
    return () => fail(error);
  }
}

/** About the whole transaction, not about the change that met it. */
const endsTransaction = (error: unknown): boolean =>
  error instanceof TransactionConflict || (error instanceof Failure && error.code === 'unavailable');
