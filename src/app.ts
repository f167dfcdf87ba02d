import { Bell } from './core/bell.ts';
import type { Clock } from './core/clock.ts';
import type { Connector, Env, Outside } from './core/connector.ts';
import type { Entry, Mode } from './core/entry.ts';
import type { Severity } from './core/finding.ts';
import type { Runbook } from './core/runbook.ts';
import { noTraces, type Traces } from './core/traces.ts';
import { isWork, type Ledger, openLedger } from './custody/ledger.ts';
import type { Signer } from './custody/signer.ts';
import type { Desk } from './decisions/desk.ts';
import { personFor, type Said } from './decisions/desk.ts';
import { requestRevocation } from './decisions/revoke.ts';
import type { Brake } from './engine/brake.ts';
import { type Preview, preview } from './engine/preview.ts';
import { createWorker } from './engine/worker.ts';
import { createInbox, type Inbox, type InboxOptions } from './ingest/inbox.ts';
import type { WebhookSource } from './ingest/source.ts';
import { storedParser } from './ingest/stored.ts';
import { Urgency, urgencyOf } from './ingest/urgency.ts';
import type { Inventory } from './inventory.ts';
import type { Policy, Roster } from './policy/policy.ts';
import { createCaller } from './providers/caller.ts';
import { createGate, type Gate } from './providers/gate.ts';
import { openRegistry, type Registry } from './providers/registry.ts';
import { type Seal, sealedStore } from './store/sealed.ts';
import type { Store } from './store/store.ts';
import { clueFrom, UNKNOWN_CLUE } from './triage/clue.ts';
import { runLanes } from './triage/lanes.ts';
import { PERSON, parsePersonRequest } from './triage/person.ts';
import { drainInbox, type Triage } from './triage/triage.ts';

/** Everything that an app is made of and does not make itself: a drill and a live bot differ in these alone. */
export interface AppOptions {
  readonly mode: Mode;
  readonly origin: string;
  readonly store: Store;
  readonly signer: Signer;
  readonly seal: Seal;
  readonly clock: Clock;
  readonly tool: Entry['tool'];
  /** The connectors' settings. In a drill nothing of the process's environment is in it. */
  readonly env: Env;
  readonly guard: Outside['guard'];
  readonly connectors: readonly Connector[];
  readonly runbooks: readonly Runbook[];
  readonly sources: readonly WebhookSource[];
  readonly policy: Policy;
  readonly roster: Roster;
  readonly inventory: Inventory;
  readonly brake: Brake;
  /** A fresh UUID at every call. */
  readonly random: () => string;
  /** In [0, 1). */
  readonly jitter: () => number;
  /** Our own code failed on a run or in triage; everything else goes on. */
  readonly onError: (error: unknown, where: string) => void;
  /** How much is taken in; without limits unless told. */
  readonly intake?: Pick<InboxOptions, 'most' | 'perSource'>;
  /** Tells nobody unless told. */
  readonly traces?: Traces;
  /** Has the log witnessed before an irreversible step, or says that it could not be; absent where no witness is asked. */
  readonly remarkBeforeIrreversible?: () => Promise<string | undefined>;
}

/** The running bot without its doors: HTTP, Slack, page and terminal use it and are wired elsewhere. */
export interface App {
  readonly options: AppOptions;
  readonly ledger: Ledger;
  readonly desk: Desk;
  readonly inbox: Inbox;
  readonly registry: Registry;
  readonly gate: Gate;
  readonly urgency: Urgency;
  readonly traces: Traces;
  /** Rings whenever there may be something to do. */
  readonly bell: Bell;
  /** When each loop last showed that it is alive; null while it was not started, or was told to stop. */
  readonly beats: { readonly triage: Date; readonly engine: Date } | null;
  /** An alert was taken in: triage is woken, and what is milder gives way to what is critical. */
  accepted(id: string, severity: Severity): void;
  /** Goes on until `stop`. */
  start(): void;
  /** Lets what is in flight finish, for at most `graceMs`; what is left is taken up at the next start. */
  stop(graceMs?: number): Promise<void>;
  /** Triages and moves everything that is due now. Resolves with when the next run is due, or null. For drills and one-off commands. */
  drain(): Promise<number | null>;
  /** A person asks for a revocation; `text` names the credential as they know it. */
  revoke(request: { readonly text: string; readonly authn: string; readonly why: string }): Promise<Said>;
  /** What would be done about the credential, from real reads; nothing is written anywhere. */
  plan(request: { readonly text: string; readonly authn: string }): Promise<Preview>;
}

const WIDTH = 8;
const GRACE_MS = 10_000;
const FLUSH_MS = 5_000;

/** Wires an app together. Rejects when the store, the ledger or a connector's settings cannot be used; nothing is running then. */
export async function createApp(options: AppOptions): Promise<App> {
  const { store, clock, seal, policy, roster, inventory, random, jitter, onError, traces = noTraces } = options;
  const ledger = await openLedger(options);
  const registry = openRegistry(options.connectors, options.runbooks, options.env, {
    now: () => clock.now(),
    guard: options.guard,
  });
  const sealed = sealedStore(store.db, seal);
  const inbox = createInbox({ ledger, db: store.db, seal, clock, random, ...options.intake });
  const stopping = new AbortController();
  const cut = new AbortController();
  const caller = createCaller({
    registry,
    now: () => clock.now(),
    openSecret: sealed.open,
    signal: cut.signal,
    onBug: (error) => onError(error, 'an operation'),
  });
  const gate = createGate(new Map(registry.connectors.map((connector) => [connector.name, connector.buckets])));
  const urgency = new Urgency();
  const beats = { triage: clock.now(), engine: clock.now() };
  const holdingOf = inventory.holdingOf.bind(inventory);
  const engine = {
    store,
    ledger,
    registry,
    caller,
    gate,
    traces,
    policy,
    brake: options.brake,
    holdingOf: (opened: { credential: Parameters<typeof holdingOf>[0] }) => holdingOf(opened.credential),
    sealed,
    clock,
    jitter,
    remarkBeforeIrreversible: options.remarkBeforeIrreversible,
  };
  const worker = createWorker({
    engine,
    owner: random(),
    width: WIDTH,
    onError: (error, run) => onError(error, run === null ? 'the engine' : `run ${run}`),
    stopping: stopping.signal,
    onBeat: () => {
      beats.engine = clock.now();
    },
  });
  const stored = storedParser(options.sources);
  const triage: Triage = {
    inbox,
    parse: (source, request) => (source === PERSON ? parsePersonRequest(request) : stored(source, request)),
    registry,
    caller,
    gate,
    traces,
    policy,
    inventory,
    ledger,
    seal,
    sealed,
    clock,
    random,
    jitter,
  };
  const desk: Desk = { store, ledger, policy, roster, clock, random };
  const bell = new Bell();
  ledger.onAppend((entries) => {
    for (const entry of entries) {
      const change = urgencyOf(entry);
      if (change) urgency[change.do](change.run);
    }
    if (entries.some(isWork)) bell.ring();
  });
  store.onNotice((notice) => {
    if (notice === 'work') bell.ring();
  });
  let running: Promise<unknown> | null = null;

  /** Refusals of minutes that are over get their entry even when no more come. */
  async function flushForever(): Promise<void> {
    while (!stopping.signal.aborted) {
      await inbox.flush().catch((error: unknown) => onError(error, 'inbox'));
      await new Bell().wait(FLUSH_MS, 0, stopping.signal);
    }
  }

  const accepted = (id: string, severity: Severity): void => {
    if (severity === 'critical' && running) urgency.begin(id);
    bell.ring();
  };

  return {
    options,
    ledger,
    desk,
    inbox,
    registry,
    gate,
    urgency,
    traces,
    bell,
    get beats() {
      return running && !stopping.signal.aborted ? { ...beats } : null;
    },
    accepted,
    start() {
      Object.assign(beats, { triage: clock.now(), engine: clock.now() });
      const onBeat = (): void => {
        beats.triage = clock.now();
      };
      const lanes = runLanes({ triage, urgency, bell, stopping: stopping.signal, onError, onBeat });
      running = Promise.all([lanes, flushForever(), worker.run(bell)]);
    },
    async stop(graceMs = GRACE_MS) {
      stopping.abort();
      bell.ring();
      const timer = setTimeout(() => cut.abort(), graceMs);
      await running;
      clearTimeout(timer);
      await inbox.flush('all');
      await traces.close();
      await store.close();
    },
    async drain() {
      await drainInbox(triage);
      const due = [await worker.drain(), await inbox.dueAt()].filter((at) => at !== null);
      return due.length > 0 ? Math.min(...due) : null;
    },
    revoke: (request) => requestRevocation(desk, { inbox, accepted }, request),
    async plan({ text, authn }) {
      const known = personFor(desk, authn, 'view');
      if ('refused' in known) return { ok: false, message: known.refused.ok ? '' : known.refused.message };
      const clue = clueFrom(text);
      if (!clue) return { ok: false, message: UNKNOWN_CLUE };
      return preview(clue, {
        ...engine,
        inventory,
        nameSecret: (secret) => `fp-${seal.fingerprint(secret).slice(-16)}`,
        requestedBy: known.person.id,
      });
    },
  };
}
