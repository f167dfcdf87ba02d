import type { Entry, Mode } from '../core/entry.ts';
import type { LedgerHead } from '../custody/ledger.ts';
import type { IncidentView, RunView } from '../incident/view.ts';
import { sentenceOf, stepsIn, type Tone } from '../incident/words/sentence.ts';
import { standingWords } from '../incident/words/standing.ts';
import { exposureWords } from '../incident/words/terms.ts';
import { elapsed, inWords, oneLine, plural, stamp, stop } from '../incident/words/text.ts';
import { type Irreversible, irreversibleOf, type Trouble, troublesOf, type Undone, undoneOf } from './deeds.ts';
import { type Fact, factsOf } from './facts.ts';
import { followUpsOf, type HoldingOf } from './follow-ups.ts';
import { type Moments, momentsOf, spansOf } from './times.ts';

/**
 * A post-incident report as data, for any rendering. Every text is one line without control characters; it holds what strangers
 * wrote, so whoever renders it escapes it. Times are ISO 8601, UTC.
 */
export interface Report {
  readonly ref: string;
  readonly title: string;
  readonly severity: string;
  readonly state: 'open' | 'closed';
  readonly mode: Mode;
  readonly draftedAt: string;
  /** What happened, what was done, where it stands: a sentence each. */
  readonly summary: readonly [string, string, string];
  readonly exposure: string;
  readonly locations: readonly { readonly label: string; readonly url?: string }[];
  readonly credentials: readonly {
    readonly name: string;
    readonly standing: string;
    readonly facts: readonly Fact[];
  }[];
  readonly times: readonly { readonly name: string; readonly meaning: string; readonly value: string }[];
  readonly timeline: readonly {
    readonly seq: number;
    readonly at: string;
    /** Since detection: `+4 min 2 s`. */
    readonly after: string;
    readonly text: string;
    readonly tone: Tone;
  }[];
  readonly decisions: readonly {
    readonly seq: number;
    readonly at: string;
    readonly who: string;
    /** How we know that it was them. */
    readonly known: string;
    readonly text: string;
  }[];
  readonly irreversible: readonly Irreversible[];
  readonly troubles: readonly Trouble[];
  readonly undone: readonly Undone[];
  readonly followUps: readonly string[];
  readonly proof: {
    readonly origin: string;
    readonly size: number;
    readonly root: string;
    readonly entries: number;
    readonly commands: readonly string[];
  };
}

export interface ReportSources {
  readonly incident: IncidentView;
  readonly head: LedgerHead;
  readonly holdingOf: HoldingOf;
  readonly now: Date;
}

/** Drafts the report of an incident as it stands at `now`. Pure: people add what no ledger knows, such as why it could happen. */
export function reportOf({ incident, head, holdingOf, now }: ReportSources): Report {
  const { ref, severity, state, findings, runs, entries } = incident;
  const moments = momentsOf(incident, now);
  const followUps = followUpsOf(incident, holdingOf);
  const title = oneLine(incident.title);
  return {
    ref,
    title,
    severity,
    state,
    mode: entries[0]?.mode ?? 'live',
    draftedAt: now.toISOString(),
    summary: [whatHappened(incident, title, moments), whatWasDone(runs, moments), whereItStands(incident, followUps)],
    exposure: inWords([...new Set(findings.map((each) => exposureWords(each.exposure)))]) || 'not known',
    locations: findings
      .flatMap((each) => each.locations)
      .map(({ label, url }) => ({ label: oneLine(label), ...(url === undefined ? {} : { url }) })),
    credentials: runs.map((run) => ({ name: nameOf(run), standing: standingWords(run), facts: factsOf(run) })),
    times: timesIn(moments),
    timeline: timelineOf(entries, moments.detected),
    decisions: decisionsIn(entries),
    irreversible: runs.flatMap(irreversibleOf),
    troubles: troublesOf(incident),
    undone: undoneOf(incident),
    followUps,
    proof: {
      ...head,
      entries: entries.length,
      commands: [
        `npx tourniquet custody export ${ref} --out ${ref}.tar --policy-out tourniquet.policy`,
        `npx tourniquet custody verify ${ref}.tar --policy tourniquet.policy`,
      ],
    },
  };
}

const nameOf = ({ state }: RunView): string => oneLine(`${state.opened.credential.kind} ${state.opened.credential.id}`);

function whatHappened({ findings, severity }: IncidentView, title: string, { detected, exposed }: Moments): string {
  const sources = inWords([
    ...new Set(findings.map(({ source }) => (source === 'person' ? 'a person' : oneLine(source)))),
  ]);
  const since = exposed === undefined ? '' : `, ${elapsed(detected - exposed)} after it was exposed`;
  return `At ${stamp(detected)} ${sources || 'somebody'} reported${since}: “${title}” (severity ${severity}).`;
}

function whatWasDone(runs: readonly RunView[], { contained, recovered, detected }: Moments): string {
  if (runs.length === 0) return 'Tourniquet told people and did nothing by itself.';
  const names = inWords(runs.map(nameOf));
  const [was, dead] = runs.length === 1 ? ['was', 'dead at its provider'] : ['were', 'dead at their providers'];
  if (contained === undefined) {
    const done = runs.filter((run) => run.milestones.contained !== undefined);
    const part = done.length === 0 ? '' : `, only ${inWords(done.map(nameOf))}`;
    return `${names} ${was} not proved ${dead}${part}.`;
  }
  const after = `${elapsed(contained - detected)} after detection`;
  const replaced = recovered === undefined ? 'the users do not have a working replacement yet' : 'the users are served';
  const when = recovered === undefined ? '' : ` since ${elapsed(recovered - detected)} after detection`;
  return `${names} ${was} proved ${dead} ${after}, and ${replaced}${when}.`;
}

function whereItStands({ state, runs }: IncidentView, followUps: readonly string[]): string {
  const standings = [...new Set(runs.map(standingWords))].join('; ');
  const left = followUps.length === 0 ? 'nothing is left to do' : `${plural(followUps.length, 'follow-up')} below`;
  return stop(`The incident is ${state}${standings === '' ? '' : `: ${standings}`}; ${left}`);
}

function timesIn(moments: Moments): Report['times'] {
  const { mttd, mtta, mttc, mttr } = spansOf(moments);
  const value = (ms: number | undefined, none: string): string => (ms === undefined ? none : elapsed(ms));
  return [
    {
      name: 'Time to detect',
      meaning: 'detected − exposed',
      value: value(mttd, 'not known: no source said when it was exposed'),
    },
    {
      name: 'Time to acknowledge',
      meaning: 'taken on by the bot or a person − detected',
      value: value(mtta, 'not yet'),
    },
    { name: 'Time to contain', meaning: 'proved dead at the provider − detected', value: value(mttc, 'not yet') },
    { name: 'Time to recover', meaning: 'users served again − detected', value: value(mttr, 'not yet') },
    { name: 'Waited for approval', meaning: 'in all', value: value(moments.approvalWaitMs, 'no approval was needed') },
  ];
}

function timelineOf(entries: readonly Entry[], detected: number): Report['timeline'] {
  const find = stepsIn(entries);
  return entries.flatMap((entry) => {
    const sentence = sentenceOf(entry, find);
    if (!sentence) return [];
    const { seq, time } = entry;
    return [{ seq, at: time.utc, after: `+${elapsed(Date.parse(time.utc) - detected)}`, ...sentence }];
  });
}

/** Verdicts, and whatever else a person decided or asked for. */
function decisionsIn(entries: readonly Entry[]): Report['decisions'] {
  const find = stepsIn(entries);
  return entries.flatMap((entry) => {
    const { actor, seq, time, type } = entry;
    if (type === 'decision' && entry.decision.is === 'run-opened' && entry.decision.requestedBy !== undefined) {
      const who = oneLine(entry.decision.requestedBy);
      return [{ seq, at: time.utc, who, known: 'the request itself', text: `${who} asked for the revocation` }];
    }
    if (actor.kind !== 'person' || (type !== 'approval' && type !== 'decision')) return [];
    const sentence = sentenceOf(entry, find);
    if (!sentence) return [];
    return [{ seq, at: time.utc, who: oneLine(actor.id), known: oneLine(actor.authn), text: sentence.text }];
  });
}
