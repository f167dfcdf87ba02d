import type { Clock } from '../core/clock.ts';
import { lockOf } from '../core/credential.ts';
import type { Actor, Entry, EntryBody, EntryDraft } from '../core/entry.ts';
import { advance, fold, type RunState } from '../core/journal.ts';
import { next } from '../core/next.ts';
import { standingOf } from '../core/standing.ts';
import type { Traces } from '../core/traces.ts';
import type { Ledger } from '../custody/ledger.ts';
import { readEntries } from '../custody/read.ts';
import { priorityOf } from '../incident/open.ts';
import { closeIfOver, touch } from '../incident/rows.ts';
import type { Policy } from '../policy/policy.ts';
import type { Caller } from '../providers/caller.ts';
import type { Gate } from '../providers/gate.ts';
import type { Registry } from '../providers/registry.ts';
import type { SealedStore } from '../store/sealed.ts';
import { readSwitches } from '../store/settings.ts';
import type { Store, Tx } from '../store/store.ts';
import type { Brake } from './brake.ts';
import type { Compiler } from './compile.ts';
import { foregone } from './foregone.ts';
import { appendUnder, type Lease } from './lease.ts';

/** Everything the engine acts through. */
export interface Engine {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly registry: Registry;
  readonly caller: Caller;
  readonly gate: Gate;
  readonly traces: Traces;
  readonly policy: Policy;
  readonly brake: Brake;
  readonly holdingOf: Compiler['holdingOf'];
  readonly sealed: SealedStore;
  readonly clock: Clock;
  /** What the intent of an irreversible step says of itself when the log before it could not be witnessed. Never rejects. */
  readonly remarkBeforeIrreversible?: (() => Promise<string | undefined>) | undefined;
  /** In [0, 1), for backoff. */
  readonly jitter: () => number;
}

/** One run while we hold its lease: its state as of entry `lastSeq`. */
export interface Session {
  readonly lease: Lease;
  readonly state: RunState;
  readonly lastSeq: number;
}

export const BOT: Actor = { kind: 'bot', id: 'tourniquet', authn: 'engine' };

/** Reads the journal under a fresh lease. Throws when the run has none: then its row was not written by us. */
export async function openSession(engine: Engine, lease: Lease): Promise<Session> {
  const entries = await readEntries(engine.store.db, 'run', lease.run);
  const state = fold(entries);
  const lastSeq = entries.at(-1)?.seq;
  if (!state || lastSeq === undefined)
    throw new Error(`The run ${lease.run} has no journal; its row was changed by hand.`);
  return { lease, state, lastSeq };
}

/** An entry of this run; `more` holds what the entry type does not. */
export type Draft = EntryBody & { readonly authority?: NonNullable<EntryDraft['authority']>; readonly why?: string };

/**
 * Records `drafts`, and everything that then follows from the journal alone, in one durable, fenced transaction; and with them
 * whatever follows for the tables: status, priority, and at the end the release of the target lock and the destruction of the
 * secret. Throws Superseded with nothing written.
 */
export async function record(engine: Engine, session: Session, drafts: readonly Draft[]): Promise<Session> {
  const { lease, state } = session;
  const { credential } = state.opened;
  const object = {
    provider: credential.kind.split('.')[0] ?? credential.kind,
    kind: credential.kind,
    ref: credential.id,
  };
  const now = engine.clock.now();
  let after = state;
  const entries = await appendUnder(engine.ledger, lease, session.lastSeq, async (tx, append, row) => {
    const common = { actor: BOT, incident: lease.incident, run: lease.run, object };
    const appended: Entry[] = [];
    const write = (some: readonly Draft[]): void => {
      const written = some.map((draft) => append({ ...draft, ...common }));
      after = written.reduce(advance, after);
      appended.push(...written);
    };
    after = state; // the transaction may be run again
    write(drafts);
    const switches = await readSwitches(tx);
    let action = next(after, now.getTime(), switches);
    for (;;) {
      const more = await foregone(engine, tx, lease.run, after, action);
      if (more === null) break;
      write(more);
      action = next(after, now.getTime(), switches);
    }
    const status = standingOf(after, action);
    const priority = priorityOf(after.opened.severity, after.ended.get('contain')?.ok === true);
    if (status !== row.status || priority !== row.priority) {
      await tx.updateTable('run').set({ status, priority }).where('id', '=', lease.run).execute();
    }
    if (after.closed) await close(engine, tx, session, now);
    await touch(tx, lease.incident);
    return appended;
  });
  return { lease, state: after, lastSeq: entries.at(-1)?.seq ?? session.lastSeq };
}

async function close(engine: Engine, tx: Tx, { lease, state }: Session, now: Date): Promise<void> {
  await tx
    .updateTable('run')
    .set({ state: 'closed', lock_key: null, wake_at_ms: null, lease_owner: null, lease_until_ms: 0 }) // nothing is left to give back
    .where('id', '=', lease.run)
    .where('lock_key', '=', lockOf(state.opened.credential))
    .execute();
  const { secret } = state.opened.credential;
  if (secret) await engine.sealed.destroy(tx, secret, now);
  await closeIfOver(tx, lease.incident, now);
}
