import type { Severity } from '../core/finding.ts';
import type { Reader, Tx } from '../store/store.ts';
import { SEVERITY_RANK, severityOfRank } from './severity.ts';

/** An accepted alert that waits for triage. */
export interface InboxItem {
  readonly id: string;
  readonly source: string;
  readonly delivery: string;
  readonly severity: Severity;
  /** ISO 8601, UTC. */
  readonly receivedAt: string;
  readonly attempts: number;
  /** Sealed: see `open`. */
  readonly body: Buffer;
}

/** What is not wanted from the queue now. */
export interface Taking {
  /** Already at work. */
  readonly except?: ReadonlySet<string>;
  /** Nothing milder than this. */
  readonly mildest?: Severity;
}

/**
 * The most severe item that is due at `nowMs`, or null; of those, what never was put back first, in the order of arrival. Asked
 * for one severity after the other, so that each is a short walk along the index however many wait.
 */
export async function nextItem(
  db: Reader,
  nowMs: number,
  { except = new Set(), mildest = 'low' }: Taking = {},
): Promise<InboxItem | null> {
  for (let rank = SEVERITY_RANK.critical; rank <= SEVERITY_RANK[mildest]; rank += 1) {
    const rows = await db
      .selectFrom('inbox')
      .select(['id', 'not_before_ms'])
      .where('state', '=', 'new')
      .where('severity', '=', rank)
      .where('not_before_ms', '<=', nowMs)
      .orderBy('not_before_ms')
      .limit(except.size + 1)
      .execute();
    const first = rows.find(({ id }) => !except.has(id));
    const item = first && (await itemOf(db, first.id));
    if (item) return item;
  }
  return null;
}

async function itemOf(db: Reader, id: string): Promise<InboxItem | null> {
  const row = await db.selectFrom('inbox').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row?.body || row.state !== 'new') return null;
  return {
    id: row.id,
    source: row.source,
    delivery: row.dedupe_key.slice(row.source.length + 1),
    severity: severityOfRank(row.severity),
    receivedAt: row.received_at,
    attempts: row.attempts,
    body: row.body,
  };
}

/** How much waits, since when, and when the next of it is due (ms since the epoch). */
export interface Backlog {
  readonly waiting: number;
  readonly stuck: number;
  readonly oldest: string | null;
}

export async function readBacklog(db: Reader): Promise<Backlog> {
  const of = (state: 'new' | 'stuck') =>
    db
      .selectFrom('inbox')
      .select((row) => [row.fn.countAll<number | string>().as('count'), row.fn.min('received_at').as('oldest')])
      .where('state', '=', state)
      .executeTakeFirstOrThrow();
  const [waiting, stuck] = [await of('new'), await of('stuck')];
  return { waiting: Number(waiting.count), stuck: Number(stuck.count), oldest: waiting.oldest ?? null };
}

/** When the first of what waits is due, or null. */
export async function dueAt(db: Reader): Promise<number | null> {
  const due: number[] = [];
  for (const rank of Object.values(SEVERITY_RANK)) {
    const row = await db
      .selectFrom('inbox')
      .select((each) => each.fn.min('not_before_ms').as('at'))
      .where('state', '=', 'new')
      .where('severity', '=', rank)
      .executeTakeFirst();
    if (row?.at !== null && row?.at !== undefined) due.push(Number(row.at));
  }
  return due.length > 0 ? Math.min(...due) : null;
}

type End = { readonly state: 'done'; readonly body: null } | { readonly state: 'stuck'; readonly because: string };

/** False when the item no longer waits: another replica was first. */
export async function settle(tx: Tx, id: string, end: End): Promise<boolean> {
  const waiting = tx.updateTable('inbox').set(end).where('id', '=', id).where('state', '=', 'new');
  return (await waiting.executeTakeFirst()).numUpdatedRows > 0n;
}

/** Puts the item back, with one more attempt counted unless none was made; false when it no longer waits. */
export async function postpone(tx: Tx, id: string, notBefore: Date, attempts: 0 | 1 = 1): Promise<boolean> {
  const waiting = tx
    .updateTable('inbox')
    .set(({ eb }) => ({ attempts: eb('attempts', '+', attempts), not_before_ms: notBefore.getTime() }))
    .where('id', '=', id)
    .where('state', '=', 'new');
  return (await waiting.executeTakeFirst()).numUpdatedRows > 0n;
}
