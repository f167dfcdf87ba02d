import type { Clock } from '../core/clock.ts';
import type { Actor, EntryDraft } from '../core/entry.ts';
import type { Severity } from '../core/finding.ts';
import type { Ledger } from '../custody/ledger.ts';
import type { Seal } from '../store/sealed.ts';
import type { Reader, Tx } from '../store/store.ts';
import { FloodGate, type Missed } from './flood.ts';
import { scrub } from './patterns.ts';
import { type Backlog, dueAt, type InboxItem, nextItem, postpone, readBacklog, settle, type Taking } from './queue.ts';
import { type Rate, SourceRates } from './rate.ts';
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
  /** Why an alert of `source` is not taken in now; null when there is room. Counts it against its source. Ask before `accept`. */
  refusal(source: string, severity: Severity): Promise<Refusal | null>;
  /** The most severe waiting alert, the oldest of those; null when nothing is due. It stays until done, stuck or later. */
  next(taking?: Taking): Promise<InboxItem | null>;
  /** When the first of what waits is due (ms since the epoch), or null when nothing waits. */
  dueAt(): Promise<number | null>;
  /** What this process was sent, by what became of it. */
  received(): readonly { readonly source: string; readonly outcome: string; readonly count: number }[];
  backlog(): Promise<Backlog>;
  /** The request as it was accepted. Throws when the row was tampered with. */
  open(item: Pick<InboxItem, 'id' | 'body'>): RawRequest;
  /** Triaged: erases the body. These three belong in the transaction of what triage decided; false when another got there first. */
  done(tx: Tx, id: string): Promise<boolean>;
  /** Cannot be triaged and waits for a person, with its body. `because` is for people. */
  stuck(tx: Tx, id: string, because: string): Promise<boolean>;
  /** Tries again, not before `notBefore`; `attempts` is 0 where none was spent. */
  later(tx: Tx, id: string, notBefore: Date, attempts?: 0 | 1): Promise<boolean>;
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
  /** How many alerts may wait for triage; no limit unless told. The last tenth on top of it is for critical ones. */
  readonly most?: number;
  /** How many alerts one source may hand in; no limit unless told. The last tenth on top of it is for critical ones. */
  readonly perSource?: Rate;
}

/** Not an accident of ours: the sender is told to come back. */
export interface Refusal {
  readonly status: 429 | 503;
  readonly because: string;
  readonly retryAfterSeconds: number;
}

const MINUTE_MS = 60_000;
/** What waits is counted in memory and, other processes taking from it too, counted anew this often. */
const RECOUNT_MS = 10_000;
const CRITICAL_RESERVE = 0.1;

export function createInbox(options: InboxOptions): Inbox {
  const {
    ledger,
    db,
    seal,
    clock,
    random,
    entriesPerMinute = 20,
    most = Number.POSITIVE_INFINITY,
    perSource,
  } = options;
  const rates = perSource && new SourceRates(perSource, CRITICAL_RESERVE);
  const counted = { waiting: 0, at: Number.NEGATIVE_INFINITY };
  const gate = new FloodGate(entriesPerMinute, MINUTE_MS);
  const nowMs = (): number => clock.now().getTime();

  const tally = new Map<string, { readonly source: string; readonly outcome: string; count: number }>();
  const count = (source: string, outcome: 'accepted' | 'duplicate' | 'nothing' | 'rejected'): void => {
    const key = `${source}/${outcome}`;
    const line = tally.get(key) ?? { source, outcome, count: 0 };
    line.count += 1;
    tally.set(key, line);
  };

  const receive = async (arrival: Arrival, row: { rank: number; because?: string }): Promise<Received> => {
    const received = await store(arrival, row);
    const isFirst = received.status === 'accepted';
    if (isFirst && row.because === undefined) counted.waiting += 1;
    count(arrival.source, isFirst && row.because !== undefined ? 'nothing' : received.status);
    return received;
  };

  const store = (arrival: Arrival, row: { rank: number; because?: string }): Promise<Received> =>
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

  /** What came and went while it was read stays counted. */
  const recount = async (): Promise<void> => {
    counted.at = nowMs();
    const before = counted.waiting;
    const { waiting } = await readBacklog(db);
    counted.waiting += waiting - before;
  };
  let counting: Promise<void> | null = null;
  const roomFor = async (severity: Severity): Promise<boolean> => {
    if (most === Number.POSITIVE_INFINITY) return true;
    counting ??= recount().catch((error: unknown) => {
      counting = null;
      throw error;
    });
    await counting;
    // Nobody waits for this one: under a flood, a read may take as long as the flood.
    if (nowMs() - counted.at >= RECOUNT_MS) recount().catch(() => {}); // without a database nothing is taken in anyway
    return counted.waiting < most * (severity === 'critical' ? 1 + CRITICAL_RESERVE : 1);
  };
  const settled = async (settling: Promise<boolean>): Promise<boolean> => {
    const first = await settling;
    if (first) counted.waiting = Math.max(0, counted.waiting - 1);
    return first;
  };

  return {
    async refusal(source, severity) {
      if (!(await roomFor(severity)))
        return {
          status: 503,
          because: `${most} alerts wait already, as many as TOURNIQUET_INBOX_MAX allows.`,
          retryAfterSeconds: 30,
        };
      const waitMs = rates?.take(source, severity === 'critical', nowMs()) ?? 0;
      if (waitMs === 0) return null;
      return {
        status: 429,
        because: 'This source sends more than TOURNIQUET_SOURCE_LIMIT allows.',
        retryAfterSeconds: Math.ceil(waitMs / 1_000),
      };
    },
    dueAt: () => dueAt(db),
    received: () => [...tally.values()].map((line) => ({ ...line })),
    backlog: () => readBacklog(db),
    accept: (arrival) => receive(arrival, { rank: SEVERITY_RANK[arrival.severity] }),
    note: (arrival) => receive(arrival, { rank: SEVERITY_RANK.low, because: forPeople(arrival.because) }),
    async reject(rejection) {
      count(rejection.source, 'rejected');
      const missed = gate.take(nowMs());
      const admitted = gate.admits(rejection.source, rejection.size, nowMs());
      await record(missed, admitted ? rejection : undefined);
    },
    flush: (which = 'over') => record(gate.take(nowMs(), which === 'all')),
    next: (taking) => nextItem(db, nowMs(), taking),
    open: ({ id, body }) => openRequest(seal, id, body),
    done: (tx, id) => settled(settle(tx, id, { state: 'done', body: null })),
    stuck: (tx, id, because) => settled(settle(tx, id, { state: 'stuck', because: forPeople(because) })),
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
