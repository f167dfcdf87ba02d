import type { Entry } from '../core/entry.ts';
import type { IncidentView, RunView } from '../incident/view.ts';

/** The moments of one incident in milliseconds since the epoch; absent while they have not come, or where nobody knows them. */
export interface Moments {
  /** When the credential could first be read by others: only where a source said so. */
  readonly exposed?: number;
  readonly detected: number;
  /** When somebody, the bot or a person, took it on. */
  readonly acknowledged?: number;
  /** When the last of its credentials was proved dead at its provider; absent until every one is. */
  readonly contained?: number;
  /** When the users of the last of its credentials had what they need again; absent until all have. */
  readonly recovered?: number;
  /** How long phases waited for people, up to now; absent where no phase had to ask. */
  readonly approvalWaitMs?: number;
}

/** The four spans that incident response is measured by, in milliseconds; absent while they cannot be known. */
export interface Spans {
  /** Detected − exposed. */
  readonly mttd?: number;
  /** Acknowledged − detected. */
  readonly mtta?: number;
  /** Verified contained − detected. */
  readonly mttc?: number;
  /** Recovered − detected. */
  readonly mttr?: number;
}

export function momentsOf(incident: IncidentView, now: Date): Moments {
  const { findings, runs, entries } = incident;
  const detected = earliest([incident.openedAt, ...findings.map((each) => each.detectedAt)]) ?? now.getTime();
  const exposed = earliest(findings.flatMap((each) => each.exposedAt ?? []));
  const acknowledged = earliest(entries.filter(isAcknowledgement).map((each) => each.time.utc));
  const contained = latest(runs.map((run) => run.milestones.contained));
  const recovered = latest(runs.map(recoveredAt));
  const waits = runs.flatMap((run) => waitsOf(run, entries, now));
  return {
    detected,
    ...(exposed === undefined || exposed > detected ? {} : { exposed }),
    ...(acknowledged === undefined ? {} : { acknowledged }),
    ...(contained === undefined ? {} : { contained }),
    ...(recovered === undefined ? {} : { recovered }),
    ...(waits.length === 0 ? {} : { approvalWaitMs: waits.reduce((sum, ms) => sum + ms, 0) }),
  };
}

export function spansOf({ exposed, detected, acknowledged, contained, recovered }: Moments): Spans {
  const since = (at: number): number => Math.max(0, at - detected);
  return {
    ...(exposed === undefined ? {} : { mttd: detected - exposed }),
    ...(acknowledged === undefined ? {} : { mtta: since(acknowledged) }),
    ...(contained === undefined ? {} : { mttc: since(contained) }),
    ...(recovered === undefined ? {} : { mttr: since(recovered) }),
  };
}

const isAcknowledgement = (entry: Entry): boolean =>
  entry.type === 'approval' ||
  (entry.type === 'decision' && (entry.decision.is === 'run-opened' || entry.actor.kind === 'person'));

/** A credential without a replacement planned is recovered from when it is retired or, where that is not planned either, contained. */
function recoveredAt({ milestones, phases }: RunView): number | undefined {
  const planned = (phase: 'rotate' | 'retire'): boolean =>
    phases.some((each) => each.phase === phase && each.steps.length > 0);
  if (planned('rotate')) return milestones.rotated;
  return planned('retire') ? milestones.retired : milestones.contained;
}

/** How long each phase that had to ask waited: from the end of what came before it to its last approval, or to now. */
function waitsOf({ state, action }: RunView, entries: readonly Entry[], now: Date): readonly number[] {
  const { response } = state;
  const planned = entries.find((entry) => entry.seq === response?.seq);
  if (!response || !planned) return [];
  let from = Date.parse(planned.time.utc);
  const waits: number[] = [];
  for (const { phase, approval, steps } of response.plan.phases) {
    if (steps.length === 0) continue;
    const begun = state.begun.get(phase);
    if (approval.people > 0) {
      const asked = action.do === 'await' && action.what.need === 'approval' && action.what.phases[0] === phase;
      if (begun) waits.push(Math.max(0, latestOf(entries, begun.approvals) - from));
      else if (asked) waits.push(Math.max(0, now.getTime() - from));
    }
    const ended = state.ended.get(phase);
    if (!ended?.ok) break;
    from = ended.at;
  }
  return waits;
}

const latestOf = (entries: readonly Entry[], seqs: readonly number[]): number =>
  Math.max(0, ...entries.filter(({ seq }) => seqs.includes(seq)).map(({ time }) => Date.parse(time.utc)));

function earliest(times: readonly string[]): number | undefined {
  const known = times.map((each) => Date.parse(each)).filter(Number.isFinite); // a source may have written anything there
  return known.length === 0 ? undefined : Math.min(...known);
}

const latest = (times: readonly (number | undefined)[]): number | undefined => {
  const known = times.filter((each) => each !== undefined);
  return known.length === 0 || known.length < times.length ? undefined : Math.max(...known);
};
