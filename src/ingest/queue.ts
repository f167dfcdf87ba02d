import type { Severity } from '../core/finding.ts';
import type { Reader, Tx } from '../store/store.ts';
import { severityOfRank } from './severity.ts';

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

/** The most severe item that is due at `nowMs`, the oldest of those, or null. */
export async function nextItem(db: Reader, nowMs: number): Promise<InboxItem | null> {
  const row = await db
    .selectFrom('inbox')
    .selectAll()
    .where('state', '=', 'new')
    .where('not_before_ms', '<=', nowMs)
    .orderBy('severity')
    .orderBy('received_at')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
  if (!row?.body) return null;
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

type End = { readonly state: 'done'; readonly body: null } | { readonly state: 'stuck'; readonly because: string };

/** False when the item no longer waits: another replica was first. */
export async function settle(tx: Tx, id: string, end: End): Promise<boolean> {
  const waiting = tx.updateTable('inbox').set(end).where('id', '=', id).where('state', '=', 'new');
  return (await waiting.executeTakeFirst()).numUpdatedRows > 0n;
}

/** Puts the item back with one more attempt counted; false when it no longer waits. */
export async function postpone(tx: Tx, id: string, notBefore: Date): Promise<boolean> {
  const waiting = tx
    .updateTable('inbox')
    .set(({ eb }) => ({ attempts: eb('attempts', '+', 1), not_before_ms: notBefore.getTime() }))
    .where('id', '=', id)
    .where('state', '=', 'new');
  return (await waiting.executeTakeFirst()).numUpdatedRows > 0n;
}
