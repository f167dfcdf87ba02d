import { Bell } from './core/bell.ts';
import type { Clock } from './core/clock.ts';
import type { Connector, Env, Outside } from './core/connector.ts';
import type { Entry, Mode } from './core/entry.ts';
import type { Runbook } from './core/runbook.ts';
import { type Ledger, openLedger } from './custody/ledger.ts';
import type { Signer } from './custody/signer.ts';
import type { Desk } from './decisions/desk.ts';
import { personFor, refuse, type Said } from './decisions/desk.ts';
import type { Brake } from './engine/brake.ts';
import { type Preview, preview } from './engine/preview.ts';
import { createWorker } from './engine/worker.ts';
import { createInbox, type Inbox } from './ingest/inbox.ts';
import type { WebhookSource } from './ingest/source.ts';
import { storedParser } from './ingest/stored.ts';
import type { Inventory } from './inventory.ts';
import type { Policy, Roster } from './policy/policy.ts';
import { actorOf } from './policy/policy.ts';
import { createBudget } from './providers/budget.ts';
import { createCaller } from './providers/caller.ts';
import { openRegistry, type Registry } from './providers/registry.ts';
import { type Seal, sealedStore } from './store/sealed.ts';
import type { Store } from './store/store.ts';
import { clueFrom, UNKNOWN_CLUE } from './triage/clue.ts';
import { PERSON, parsePersonRequest, personRequest } from './triage/person.ts';
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
}

/** The running bot without its doors: HTTP, Slack, page and terminal use it and are wired elsewhere. */
export interface App {
  readonly options: AppOptions;
  readonly ledger: Ledger;
  readonly desk: Desk;
  readonly inbox: Inbox;
  readonly registry: Registry;
  /** Rings whenever there may be something to do. */
  readonly bell: Bell;
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
const TRIAGE_POLL_MS = 250;

/** Wires an app together. Rejects when the store, the ledger or a connector's settings cannot be used; nothing is running then. */
export async function createApp(options: AppOptions): Promise<App> {
  const { store, clock, seal, policy, roster, inventory, random, jitter, onError } = options;
  const ledger = await openLedger(options);
  const registry = openRegistry(options.connectors, options.runbooks, options.env, {
    now: () => clock.now(),
    guard: options.guard,
  });
  const sealed = sealedStore(store.db, seal);
  const inbox = createInbox({ ledger, db: store.db, seal, clock, random });
  const stopping = new AbortController();
  const cut = new AbortController();
  const caller = createCaller({
    registry,
    now: () => clock.now(),
    openSecret: sealed.open,
    signal: cut.signal,
    onBug: (error) => onError(error, 'an operation'),
  });
  const limits = new Map(registry.connectors.map((connector) => [connector.name, connector.buckets]));
  const budget = createBudget((connector, bucket) => limits.get(connector)?.[bucket]);
  const holdingOf = inventory.holdingOf.bind(inventory);
  const engine = {
    store,
    ledger,
    registry,
    caller,
    budget,
    policy,
    brake: options.brake,
    holdingOf: (opened: { credential: Parameters<typeof holdingOf>[0] }) => holdingOf(opened.credential),
    sealed,
    clock,
    jitter,
  };
  const worker = createWorker({
    engine,
    owner: random(),
    width: WIDTH,
    onError: (error, run) => onError(error, run === null ? 'the engine' : `run ${run}`),
    stopping: stopping.signal,
  });
  const stored = storedParser(options.sources);
  const triage: Triage = {
    inbox,
    parse: (source, request) => (source === PERSON ? parsePersonRequest(request) : stored(source, request)),
    registry,
    caller,
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
    if (entries.some((entry) => entry.actor.kind !== 'bot' || entry.actor.authn === 'triage')) bell.ring();
  });
  let running: Promise<unknown> = Promise.resolve();

  async function triageForever(): Promise<void> {
    while (!stopping.signal.aborted) {
      const heard = bell.count;
      await drainInbox(triage).catch((error: unknown) => onError(error, 'triage'));
      await inbox.flush().catch((error: unknown) => onError(error, 'inbox'));
      await bell.wait(TRIAGE_POLL_MS, heard, stopping.signal);
    }
  }

  return {
    options,
    ledger,
    desk,
    inbox,
    registry,
    bell,
    start() {
      running = Promise.all([triageForever(), worker.run(bell)]);
    },
    async stop(graceMs = GRACE_MS) {
      stopping.abort();
      bell.ring();
      const timer = setTimeout(() => cut.abort(), graceMs);
      await running;
      clearTimeout(timer);
      await inbox.flush('all');
      await store.close();
    },
    async drain() {
      await drainInbox(triage);
      return worker.drain();
    },
    async revoke({ text, authn, why }) {
      const known = personFor(desk, authn, 'revoke');
      if ('refused' in known) return known.refused;
      const clue = clueFrom(text);
      if (!clue) return refuse('bad-request', UNKNOWN_CLUE);
      const { person } = known;
      const request = personRequest({ requestedBy: person.id, at: clock.now().toISOString(), why, clue });
      const actor = actorOf(person, authn);
      await inbox.accept({ source: PERSON, delivery: random(), request, actor, status: 0, severity: 'critical' });
      bell.ring();
      return {
        ok: true,
        said: 'On record. Tourniquet is finding out whose credential this is; the incident follows in a moment.',
      };
    },
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
