import type { Clock } from '../core/clock.ts';
import type { Ledger, LedgerHead } from '../custody/ledger.ts';
import type { GateView } from '../providers/gate.ts';
import type { Store } from '../store/store.ts';

export interface Readiness {
  readonly ready: boolean;
  /** Why not, from a fixed list of sentences. */
  readonly because: readonly string[];
  readonly ledger: LedgerHead | null;
  /** The connectors whose provider does not answer: no reason to take this replica out, for the others would fare no better. */
  readonly down: readonly string[];
}

export interface Vitals {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly beats: () => { readonly triage: Date; readonly engine: Date } | null;
  readonly gate: { view(now: Date): GateView };
  /** Told to stop: what is in flight is finished, nothing new should come. */
  readonly draining: () => boolean;
}

/** Longer than a call to a provider may take, so that only a loop that is really stuck counts as dead. */
const SILENT_MS = 60_000;
/** Asking costs a write: whoever asks in a loop is told again what was found a moment ago. */
const FRESH_MS = 1_000;
const PATIENCE_MS = 3_000;

/** Finds out whether this process can do its work: really writes, really reads, and listens for its loops. */
export function createReadiness({ store, ledger, clock, beats, gate, draining }: Vitals): () => Promise<Readiness> {
  let asked: { readonly at: number; readonly draining: boolean; readonly answer: Promise<Readiness> } | null = null;

  async function examine(): Promise<Readiness> {
    const now = clock.now();
    const [writable, head] = await Promise.all([
      within(write(store, now)).then(
        () => true,
        () => false,
      ),
      within(ledger.head()).catch(() => null),
    ]);
    const heard = beats();
    const silent = (at: Date): boolean => now.getTime() - at.getTime() > SILENT_MS;
    const because = [
      ...(draining() ? ['It is stopping.'] : heard ? [] : ['It has not started yet.']),
      ...(writable ? [] : ['The database cannot be written.']),
      ...(head ? [] : ['The ledger cannot be read.']),
      ...(heard && silent(heard.triage) ? ['Triage has stopped moving.'] : []),
      ...(heard && silent(heard.engine) ? ['The engine has stopped moving.'] : []),
    ];
    const down = gate
      .view(now)
      .breakers.filter(({ standing }) => standing !== 'closed')
      .map(({ connector }) => connector);
    return { ready: because.length === 0, because, ledger: head, down };
  }

  return () => {
    const now = clock.now().getTime();
    if (!asked || now - asked.at >= FRESH_MS || asked.draining !== draining())
      asked = { at: now, draining: draining(), answer: examine() };
    return asked.answer;
  };
}

/** A row of its own, so that a full disk is noticed: what changes nothing is not written. */
const write = (store: Store, now: Date): Promise<void> =>
  store.transaction(async (tx) => {
    const value = now.toISOString();
    await tx
      .insertInto('setting')
      .values({ key: 'ready', value })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
      .execute();
  });

/** A database that does not answer is as good as none. */
async function within<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error('too slow')), PATIENCE_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
