import type { Reader, Store, Tx } from '../store/store.ts';
import { openCheckpoint, type SignedCheckpoint } from './checkpoint.ts';
import { type CompactRange, isHash, rootOf } from './merkle.ts';
import { parseVkey, type VerifierKey } from './note.ts';

/** The database contradicts itself or its signature: someone, or something, changed it behind the ledger's back. */
export class StoreTampered extends Error {
  override readonly name = 'StoreTampered';
  constructor(what: string) {
    super(
      `${what}. Someone or something changed the database behind the ledger's back: keep a copy as evidence, and restore ` +
        'a backup that verifies',
    );
  }
}

/** Puts the head of an empty log into a store that has none yet. Throws when there are entries without a head. */
export async function initialise(tx: Tx): Promise<void> {
  const head = await tx.selectFrom('ledger_head').select('id').executeTakeFirst();
  if (head) return;
  const entry = await tx.selectFrom('ledger').select('seq').limit(1).executeTakeFirst();
  const checkpoint = await tx.selectFrom('checkpoint').select('size').limit(1).executeTakeFirst();
  if (entry || checkpoint) throw new StoreTampered('The log has entries or checkpoints but its head is missing');
  const empty = { id: 1, size: 0, range: '' } as const;
  await tx
    .insertInto('ledger_head')
    .values(empty)
    .onConflict((conflict) => conflict.column('id').doNothing()) // another replica begins the log too
    .execute();
}

const selectHead = (db: Reader) => db.selectFrom('ledger_head').selectAll().where('id', '=', 1);

export const readHead = async (db: Reader): Promise<CompactRange> => rangeOf(await selectHead(db).executeTakeFirst());

/**
 * The head, and with it the right to append: until `tx` ends nobody else gets it, so that the log has one order whatever the
 * number of replicas. On SQLite every write transaction has that right from its beginning.
 */
export async function lockHead(tx: Tx, database: Store['name']): Promise<CompactRange> {
  const locked = selectHead(tx).$if(database === 'postgres', (head) => head.forUpdate());
  return rangeOf(await locked.executeTakeFirst());
}

function rangeOf(row: { readonly size: number; readonly range: string } | undefined): CompactRange {
  if (!row) throw new StoreTampered('The head of the log is missing');
  const roots = row.range === '' ? [] : row.range.split(',');
  if (!Number.isSafeInteger(row.size) || row.size < 0 || !roots.every(isHash) || roots.length !== ones(row.size)) {
    throw new StoreTampered('The head of the log is damaged');
  }
  return { size: row.size, roots };
}

export async function writeHead(tx: Tx, range: CompactRange): Promise<void> {
  await tx
    .updateTable('ledger_head')
    .set({ size: range.size, range: range.roots.join(',') })
    .where('id', '=', 1)
    .execute();
}

/** The newest checkpoint, verified under `key`; undefined for a log without entries. */
export async function lastCheckpoint(db: Reader, key: VerifierKey): Promise<SignedCheckpoint | undefined> {
  const row = await db.selectFrom('checkpoint').selectAll().orderBy('size', 'desc').limit(1).executeTakeFirst();
  return row && believe(row, key);
}

/** A checkpoint row, verified under `key`. Throws StoreTampered when it does not verify. */
export function believe(row: { readonly size: number; readonly note: string }, key: VerifierKey): SignedCheckpoint {
  try {
    const checkpoint = openCheckpoint(Buffer.from(row.note), key);
    if (checkpoint.size === row.size) return checkpoint;
  } catch (error) {
    throw new StoreTampered(
      `The checkpoint of size ${row.size} does not verify under the key ${key.name}+${key.hash}: ` +
        `${error instanceof Error ? error.message : String(error)}. Is this another log's key or database`,
    );
  }
  throw new StoreTampered(`The checkpoint of size ${row.size} speaks of another size`);
}

/** Quick check on opening: head row, newest checkpoint and number of rows agree. Throws StoreTampered otherwise. */
export async function checkHead(db: Reader, vkey: string): Promise<void> {
  const head = await readHead(db);
  const checkpoint = await lastCheckpoint(db, parseVkey(vkey));
  const counted = await db
    .selectFrom('ledger')
    .select((eb) => [eb.fn.countAll<number | string>().as('rows'), eb.fn.max('seq').as('last')])
    .executeTakeFirstOrThrow();
  const rows = Number(counted.rows);
  if (rows !== head.size || (rows > 0 && Number(counted.last) !== rows - 1)) {
    throw new StoreTampered(`The log holds ${rows} entries but its head says ${head.size}`);
  }
  if ((checkpoint?.size ?? 0) !== head.size) {
    throw new StoreTampered(`The head of the log says ${head.size} entries but ${checkpoint?.size ?? 0} are signed`);
  }
  if (checkpoint && checkpoint.root !== rootOf(head)) {
    throw new StoreTampered('The head of the log does not have the root hash that is signed');
  }
}

function ones(n: number): number {
  let count = 0;
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) count += rest % 2;
  return count;
}
