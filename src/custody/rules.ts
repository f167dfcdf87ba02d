import { spoken } from '../core/duration.ts';
import type { Entry } from '../core/entry.ts';
import { sha256OfJson } from './canonical.ts';
import { Suspicion } from './report.ts';

/**
 * What a log of incident response must look like, beyond being unaltered: rules over its entries, in order. Each says in a
 * sentence what held, or throws Suspicion naming the entry that breaks it.
 */
export interface Rule {
  readonly name: string;
  readonly hold: (entries: readonly Entry[]) => string;
}

type Of<T extends Entry['type']> = Extract<Entry, { type: T }>;

/** A clock that is corrected by less than this was merely corrected; the report tells of it all the same. */
const CLOCK_TOLERANCE_MS = 60_000;

export const RULES: readonly Rule[] = [
  { name: 'unique entries', hold: uniqueIds },
  { name: 'time', hold: timeFlows },
  { name: 'log before act', hold: loggedBeforeActing },
  { name: 'plans', hold: plansAreNamedByTheirHash },
  { name: 'approvals', hold: approvalsBind },
  { name: 'separation of duties', hold: nobodyApprovesTheirOwn },
];

function uniqueIds(entries: readonly Entry[]): string {
  const seen = new Map<string, number>();
  for (const { id, seq } of entries) {
    const earlier = seen.get(id);
    if (earlier !== undefined) throw new Suspicion(at(seq), `It has the id of entry ${earlier}: the same entry twice`);
    seen.set(id, seq);
  }
  return `${entries.length} entries, every id once`;
}

function timeFlows(entries: readonly Entry[]): string {
  const ticks = new Map<string, bigint>();
  let latest: Entry | undefined;
  let corrected = 0;
  for (const entry of entries) {
    const { bootId, monotonicNs } = entry.time;
    const tick = BigInt(monotonicNs);
    if (tick < (ticks.get(bootId) ?? tick)) {
      throw new Suspicion(at(entry.seq), 'Its monotonic clock is behind that of an earlier entry of the same process');
    }
    ticks.set(bootId, tick);
    const back = latest ? Date.parse(latest.time.utc) - Date.parse(entry.time.utc) : 0;
    if (back > CLOCK_TOLERANCE_MS) {
      throw new Suspicion(
        at(entry.seq),
        `Its time is ${spoken(back)} before that of entry ${latest?.seq}: the clock was set back`,
      );
    }
    if (back > 0) corrected = Math.max(corrected, back);
    else latest = entry;
  }
  return corrected > 0
    ? `times rise, but for clock corrections of at most ${spoken(corrected)}`
    : 'times rise with the entries';
}

/** A person's report and a skipped step need no intent: the program did not act. */
function loggedBeforeActing(entries: readonly Entry[]): string {
  const intended = new Set<string>();
  let acts = 0;
  for (const entry of entries) {
    if (entry.type === 'intent') intended.add(actOf('do', entry));
    if (entry.type === 'undo' && entry.stage === 'intent') intended.add(actOf('undo', entry));
    const acted =
      entry.type === 'result' && entry.by !== 'person' && entry.outcome !== 'skipped'
        ? actOf('do', entry)
        : entry.type === 'undo' && entry.stage !== 'intent'
          ? actOf('undo', entry)
          : undefined;
    if (acted === undefined) continue;
    acts += 1;
    if (!intended.has(acted))
      throw new Suspicion(at(entry.seq), 'It records an action that no earlier entry announced');
  }
  return `results announced by an earlier intent: all ${acts}`;
}

const actOf = (kind: 'do' | 'undo', { run, step, attempt }: Of<'intent'> | Of<'result'> | Of<'undo'>): string =>
  JSON.stringify([kind, run, step, attempt]);

function plansAreNamedByTheirHash(entries: readonly Entry[]): string {
  const plans = entries.filter((entry) => entry.type === 'plan');
  for (const { seq, plan, sha256 } of plans) {
    if (sha256OfJson(plan) !== sha256) throw new Suspicion(at(seq), 'The hash it gives is not that of its plan');
  }
  return `plans named by their hash: all ${plans.length}`;
}

function approvalsBind(entries: readonly Entry[]): string {
  const plans = new Set<string>();
  const nonces = new Map<string, string>();
  let approvals = 0;
  for (const entry of entries) {
    if (entry.type === 'plan') plans.add(JSON.stringify([entry.run, entry.sha256]));
    if (entry.type !== 'approval') continue;
    approvals += 1;
    if (!plans.has(JSON.stringify([entry.run, entry.planSha256]))) {
      throw new Suspicion(
        at(entry.seq),
        `It is about a plan (${entry.planSha256}) that this run did not have before it`,
      );
    }
    const plan = nonces.get(entry.nonce) ?? entry.planSha256;
    if (plan !== entry.planSha256) throw new Suspicion(at(entry.seq), 'Its nonce was already used for another plan');
    nonces.set(entry.nonce, plan);
  }
  return `approvals and denials of a plan that stands before them: all ${approvals}`;
}

function nobodyApprovesTheirOwn(entries: readonly Entry[]): string {
  const requesters = new Map<string | undefined, string>();
  for (const entry of entries) {
    if (entry.type === 'decision' && entry.decision.is === 'run-opened' && entry.decision.requestedBy !== undefined) {
      requesters.set(entry.run, entry.decision.requestedBy);
    }
    if (entry.type === 'approval' && entry.verdict === 'approve' && requesters.get(entry.run) === entry.actor.id) {
      throw new Suspicion(at(entry.seq), `${entry.actor.id} approved what ${entry.actor.id} had asked for`);
    }
  }
  return 'nobody approved what they had asked for';
}

const at = (seq: number): string => `entries.jsonl, entry ${seq}`;
