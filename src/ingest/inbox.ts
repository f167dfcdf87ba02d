import type { Clock } from '../core/clock.ts';
import type { Actor, EntryDraft } from '../core/entry.ts';
import type { Severity } from '../core/finding.ts';
import type { Ledger } from '../custody/ledger.ts';
import type { Seal } from '../store/sealed.ts';
import type { Reader, Tx } from '../store/store.ts';
import { FloodGate, type Missed } from './flood.ts';
import { scrub } from './patterns.ts';
import { type InboxItem, nextItem, postpone, settle } from './queue.ts';
import { openRequest, sealRequest } from './sealed-request.ts';
import { SEVERITY_RANK } from './severity.ts';
import type { RawRequest } from './source.ts';

/** An authenticated delivery. `actor` is the source itself unless a person handed it in. */
export interface Arrival {
  readonly source: string;
  readonly delivery: string;
  readonly request: RawRequest;
  readonly actor?: Actor;
  /** What was answered over HTTP; 0 where the alert did not come by HTTP. 202 unless told. */
  readonly status?: number;
}

export interface Rejection {
  /** One of our own names, never one that a caller chose. */
  readonly source: string;
  readonly status: number;
  readonly because: string;
  readonly size: number;
  readonly actor?: Actor;
}

export interface Received {
  /** The same for a redelivery as for the delivery it repeats. */
  readonly id: string;
  readonly status: 'accepted' | 'duplicate';
}

/** Between the streams and triage: nothing accepted is lost, nothing is stored twice, and everything is in the ledger. */
export interface Inbox {
  /** Stores the alert, sealed, and its entry in one commit; durable when this resolves. A redelivery is only recorded. */
  accept(arrival: Arrival & { readonly severity: Severity }): Promise<Received>;
  /** Records a delivery that asks for nothing, and why; nothing of it is kept. */
  note(arrival: Arrival & { readonly because: string }): Promise<Received>;
  /** Records a refusal; past the limit per source and minute it is counted, and one entry later speaks for all. */
  reject(rejection: Rejection): Promise<void>;
  /** Writes the entries for refusals that were only counted: those of minutes that are over, or all. Call it every minute and at exit. */
  flush(which?: 'over' | 'all'): Promise<void>;
  /** The most severe waiting alert, the oldest of those; null when nothing is due. It stays until done, stuck or later. */
  next(): Promise<InboxItem | null>;
  /** The request as it was accepted. Throws when the row was tampered with. */
  open(item: Pick<InboxItem, 'id' | 'body'>): RawRequest;
  /** Triaged: erases the body. These three belong in the transaction of what triage decided; false when another got there first. */
  done(tx: Tx, id: string): Promise<boolean>;
  /** Cannot be triaged and waits for a person, with its body. `because` is for people. */
  stuck(tx: Tx, id: string, because: string): Promise<boolean>;
  /** Tries again, not before `notBefore`. */
  later(tx: Tx, id: string, notBefore: Date): Promise<boolean>;
}

export interface InboxOptions {
  readonly ledger: Ledger;
  readonly db: Reader;
  readonly seal: Seal;
  readonly clock: Clock;
  /** A fresh UUID at every call. */
  readonly random: () => string;
  /** Entries per source and minute for refusals and redeliveries; 20 unless told. */
  readonly entriesPerMinute?: number;
}

const MINUTE_MS = 60_000;

export function createInbox({ ledger, db, seal, clock, random, entriesPerMinute = 20 }: InboxOptions): Inbox {
  const gate = new FloodGate(entriesPerMinute, MINUTE_MS);
  const nowMs = (): number => clock.now().getTime();

  const receive = (arrival: Arrival, row: { rank: number; because?: string }): Promise<Received> =>
    ledger.commit(async (tx, append) => {
      const { source, delivery, request } = arrival;
      const id = random();
      const waits = row.because === undefined;
      const dedupeKey = `${source}:${delivery}`;
      const inserted = await tx
        .insertInto('inbox')
        .values({
          id,
          source,
          dedupe_key: dedupeKey,
          state: waits ? 'new' : 'done',
          severity: row.rank,
          received_at: clock.now().toISOString(),
          attempts: 0,
          not_before_ms: 0,
          body: waits ? sealRequest(seal, id, request) : null,
          because: row.because ?? null,
        })
        .onConflict((conflict) => conflict.column('dedupe_key').doNothing())
        .returning('id')
        .executeTakeFirst();
      if (inserted) {
        append(received(arrival, 'accepted', row.because));
        return { id, status: 'accepted' };
      }
      // Whoever replays one authentic delivery for ever must not grow the ledger either.
      if (gate.admits(source, request.body.length, nowMs())) append(received(arrival, 'duplicate', row.because));
      const first = tx.selectFrom('inbox').select('id').where('dedupe_key', '=', dedupeKey);
      return { ...(await first.executeTakeFirstOrThrow()), status: 'duplicate' };
    });

  const received = (arrival: Arrival, outcome: 'accepted' | 'duplicate', because?: string): EntryDraft => ({
    type: 'alert.received',
    actor: arrival.actor ?? { kind: 'source', id: arrival.source, authn: `webhook:${arrival.source}` },
    source: arrival.source,
    delivery: arrival.delivery,
    outcome,
    status: arrival.status ?? 202,
    size: arrival.request.body.length,
    bodyFp: seal.fingerprint(arrival.request.body),
    ...(because && { because: forPeople(because) }),
  });

  /** One commit for what was missed and, if it may have an entry, one refusal more. */
  const record = async (missed: readonly Missed[], one?: Rejection): Promise<void> => {
    if (missed.length === 0 && !one) return;
    try {
      await ledger.commit(async (_tx, append) => {
        for (const each of missed) append(summary(each));
        if (one) append(rejected(one));
      });
    } catch (error) {
      gate.giveBack(missed);
      throw error;
    }
  };

  return {
    accept: (arrival) => receive(arrival, { rank: SEVERITY_RANK[arrival.severity] }),
    note: (arrival) => receive(arrival, { rank: SEVERITY_RANK.low, because: forPeople(arrival.because) }),
    async reject(rejection) {
      const missed = gate.take(nowMs());
      const admitted = gate.admits(rejection.source, rejection.size, nowMs());
      await record(missed, admitted ? rejection : undefined);
    },
    flush: (which = 'over') => record(gate.take(nowMs(), which === 'all')),
    next: () => nextItem(db, nowMs()),
    open: ({ id, body }) => openRequest(seal, id, body),
    done: (tx, id) => settle(tx, id, { state: 'done', body: null }),
    stuck: (tx, id, because) => settle(tx, id, { state: 'stuck', because: forPeople(because) }),
    later: postpone,
  };
}

const rejected = ({ source, status, because, size, actor }: Rejection): EntryDraft => ({
  type: 'alert.received',
  actor: actor ?? { kind: 'source', id: source, authn: 'none' },
  source,
  outcome: 'rejected',
  status,
  size,
  because: forPeople(because),
});

const summary = ({ source, count, bytes, sinceMs }: Missed): EntryDraft => {
  const since = new Date(sinceMs).toISOString();
  const because = `${count} more deliveries were refused or repeated since ${since}; too many for an entry each.`;
  return rejected({ source, status: 0, because, size: bytes });
};

/** Reasons may quote what a caller sent: short, and nothing that looks like a secret. */
const forPeople = (because: string): string => scrub(because).slice(0, 500).toWellFormed();
