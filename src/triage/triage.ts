import type { Clock } from '../core/clock.ts';
import type { Actor } from '../core/entry.ts';
import type { Finding } from '../core/finding.ts';
import { backoff } from '../core/retry.ts';
import type { Traces } from '../core/traces.ts';
import type { Append, Ledger } from '../custody/ledger.ts';
import type { Inbox } from '../ingest/inbox.ts';
import type { InboxItem } from '../ingest/queue.ts';
import type { Parsed, RawRequest } from '../ingest/source.ts';
import type { Inventory } from '../inventory.ts';
import type { Policy } from '../policy/policy.ts';
import type { Caller } from '../providers/caller.ts';
import { type Gate, rankOf } from '../providers/gate.ts';
import { type Conversation, type Identification, identify } from '../providers/identify.ts';
import type { Registry } from '../providers/registry.ts';
import type { Seal, SealedStore } from '../store/sealed.ts';
import { closeIfOnlyTold, file } from './file.ts';
import { requesterOf } from './person.ts';

/** What triage decides with, and writes through. */
export interface Triage {
  readonly inbox: Inbox;
  readonly parse: (source: string, request: RawRequest) => Parsed;
  readonly registry: Registry;
  readonly caller: Caller;
  readonly gate: Gate;
  readonly traces: Traces;
  readonly policy: Policy;
  readonly inventory: Inventory;
  readonly ledger: Ledger;
  readonly seal: Seal;
  readonly sealed: SealedStore;
  readonly clock: Clock;
  readonly random: () => string;
  readonly jitter: () => number;
}

export const TRIAGE: Actor = { kind: 'bot', id: 'tourniquet', authn: 'triage' };

/** Past this many tries to ask a provider, people are told instead. */
const MOST_ATTEMPTS = 8;

/** A finding with what its providers said of it. */
export interface Examined {
  readonly finding: Finding;
  readonly found: Exclude<Identification, { is: 'later' | 'wait' }>;
}

/** Triages every alert that is due, most severe first. Resolves with how many there were. */
export async function drainInbox(triage: Triage): Promise<number> {
  let count = 0;
  for (let item = await triage.inbox.next(); item; item = await triage.inbox.next()) {
    await triageOne(triage, item);
    count += 1;
  }
  return count;
}

/** Triages `item` and resolves; one that our own code fails on is put aside, so that it holds up nobody, and at last kept for a person. */
export async function triageSafely(
  triage: Triage,
  item: InboxItem,
  onError: (error: unknown, where: string) => void,
): Promise<void> {
  try {
    await triageOne(triage, item);
  } catch (error) {
    onError(error, 'triage');
    if (item.attempts + 1 < MOST_ATTEMPTS) return putBack(triage, item);
    const because = 'Our own code failed on it again and again; see the log.';
    await triage.ledger.commit(async (tx) => void (await triage.inbox.stuck(tx, item.id, because)));
  }
}

async function triageOne(triage: Triage, item: InboxItem): Promise<void> {
  const { inbox, ledger } = triage;
  const request = inbox.open(item);
  const parsed = triage.parse(item.source, request);
  if (parsed.kind === 'invalid') {
    const because = `It was accepted but cannot be read any more: ${parsed.at} ${parsed.message}`;
    return ledger.commit(async (tx) => void (await inbox.stuck(tx, item.id, because)));
  }
  if (parsed.kind !== 'findings') return ledger.commit(async (tx) => void (await inbox.done(tx, item.id)));

  const began = triage.clock.now();
  const asked: Conversation[] = [];
  const examined: Examined[] = [];
  for (const [index, finding] of parsed.findings.entries()) {
    const found = await examine(triage, item, index, finding, (conversation) => asked.push(conversation));
    if (found.is === 'wait') return waitForTurn(triage, item, found.ms);
    if (found.is !== 'later') examined.push({ finding, found });
    else if (item.attempts + 1 < MOST_ATTEMPTS) return putBack(triage, item, found.retryAfterMs);
    else
      examined.push({
        finding,
        found: { ...found, is: 'tell', because: `its provider could not be asked: ${found.because}` },
      });
  }
  const requestedBy = requesterOf(item.source, request);
  const incidents = await ledger.commit(async (tx, append) => {
    const filed = new Map<string, boolean>();
    if (!(await inbox.done(tx, item.id))) return filed;
    const tapped: Append = (draft) => {
      const entry = append(draft);
      if (entry.type === 'decision' && entry.decision.is === 'incident-opened' && entry.incident)
        filed.set(entry.incident, true);
      return entry;
    };
    for (const each of examined) {
      const incident = await file(triage, { tx, append: tapped }, item, requestedBy, each);
      filed.set(incident, filed.get(incident) ?? false);
    }
    for (const incident of filed.keys()) await closeIfOnlyTold(tx, incident, triage.clock.now());
    return filed;
  });
  const { id, source, severity } = item;
  triage.traces.triaged({
    id,
    source,
    severity,
    receivedAt: new Date(item.receivedAt),
    began,
    ended: triage.clock.now(),
    asked,
    incidents: [...incidents].map(([incident, opened]) => ({ id: incident, opened })),
  });
}

/** Evidence, as reading is: containment goes first at the provider, whatever its severity. */
const IDENTIFY_CLASS = 1;

/** What must only be shown is not even looked up: a look-up with a stolen canary would itself set it off. */
async function examine(
  triage: Triage,
  item: InboxItem,
  index: number,
  finding: Finding,
  onAsked: (conversation: Conversation) => void,
): Promise<Identification> {
  if (finding.showOnly !== undefined) return { is: 'tell', because: finding.showOnly };
  const { registry, caller, gate, clock } = triage;
  const nameSecret = (secret: string): string => `fp-${triage.seal.fingerprint(secret).slice(-16)}`;
  const asked = {
    ticket: `${item.id}/${index}`,
    rank: rankOf(IDENTIFY_CLASS, item.severity),
    urgent: item.severity === 'critical',
  };
  return identify(finding.clue, {
    registry,
    caller,
    nameSecret,
    turns: { gate, asked, now: () => clock.now() },
    onAsked,
  });
}

async function putBack({ inbox, ledger, clock, jitter }: Triage, item: InboxItem, retryAfterMs = 0): Promise<void> {
  const at = new Date(clock.now().getTime() + backoff(item.attempts + 1, jitter(), retryAfterMs));
  await ledger.commit(async (tx) => void (await inbox.later(tx, item.id, at)));
}

/** Not a try: its provider is asked as fast as it allows, and this one's turn has not come. */
async function waitForTurn({ inbox, ledger, clock }: Triage, item: InboxItem, ms: number): Promise<void> {
  const at = new Date(clock.now().getTime() + ms);
  await ledger.commit(async (tx) => void (await inbox.later(tx, item.id, at, 0)));
}
