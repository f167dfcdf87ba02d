import type { Clock } from '../core/clock.ts';
import type { Actor } from '../core/entry.ts';
import type { Finding } from '../core/finding.ts';
import { backoff } from '../core/retry.ts';
import type { Ledger } from '../custody/ledger.ts';
import type { Inbox } from '../ingest/inbox.ts';
import type { InboxItem } from '../ingest/queue.ts';
import type { Parsed, RawRequest } from '../ingest/source.ts';
import type { Inventory } from '../inventory.ts';
import type { Policy } from '../policy/policy.ts';
import type { Caller } from '../providers/caller.ts';
import { type Identification, identify } from '../providers/identify.ts';
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
  readonly found: Exclude<Identification, { is: 'later' }>;
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

async function triageOne(triage: Triage, item: InboxItem): Promise<void> {
  const { inbox, ledger } = triage;
  const request = inbox.open(item);
  const parsed = triage.parse(item.source, request);
  if (parsed.kind === 'invalid') {
    const because = `It was accepted but cannot be read any more: ${parsed.at} ${parsed.message}`;
    return ledger.commit(async (tx) => void (await inbox.stuck(tx, item.id, because)));
  }
  if (parsed.kind !== 'findings') return ledger.commit(async (tx) => void (await inbox.done(tx, item.id)));

  const examined: Examined[] = [];
  for (const finding of parsed.findings) {
    const found = await examine(triage, finding);
    if (found.is !== 'later') examined.push({ finding, found });
    else if (item.attempts + 1 < MOST_ATTEMPTS) return putBack(triage, item, found.retryAfterMs);
    else
      examined.push({
        finding,
        found: { ...found, is: 'tell', because: `its provider could not be asked: ${found.because}` },
      });
  }
  const requestedBy = requesterOf(item.source, request);
  await ledger.commit(async (tx, append) => {
    if (!(await inbox.done(tx, item.id))) return;
    const incidents = new Set<string>();
    for (const each of examined) incidents.add(await file(triage, { tx, append }, item, requestedBy, each));
    for (const incident of incidents) await closeIfOnlyTold(tx, incident, triage.clock.now());
  });
}

/** What must only be shown is not even looked up: a look-up with a stolen canary would itself set it off. */
async function examine(triage: Triage, finding: Finding): Promise<Identification> {
  if (finding.showOnly !== undefined) return { is: 'tell', because: finding.showOnly };
  const nameSecret = (secret: string): string => `fp-${triage.seal.fingerprint(secret).slice(-16)}`;
  return identify(finding.clue, { registry: triage.registry, caller: triage.caller, nameSecret });
}

async function putBack({ inbox, ledger, clock, jitter }: Triage, item: InboxItem, retryAfterMs = 0): Promise<void> {
  const at = new Date(clock.now().getTime() + backoff(item.attempts + 1, jitter(), retryAfterMs));
  await ledger.commit(async (tx) => void (await inbox.later(tx, item.id, at)));
}
