import type { Decision, Entry } from '../core/entry.ts';
import type { Exposure } from '../core/finding.ts';
import type { StepState, UndoState } from '../core/journal.ts';
import { planningStep } from '../core/next.ts';
import type { ApprovalRule, Phase, PlannedStep } from '../core/plan.ts';
import type { RunView } from './view.ts';

/*
 * What happened and what will happen, in the same plain sentences for card, page, terminal and report. Every text is one line
 * without control characters or marks that turn the reading direction; it holds what strangers wrote, so whoever shows it escapes it.
 */

export type Tone = 'info' | 'good' | 'bad' | 'wait';

export interface Sentence {
  readonly text: string;
  readonly tone: Tone;
}

/** The planned step that an entry of a run is about; undefined when its plan is not known. */
export type StepFinder = (run: string | undefined, step: string) => PlannedStep | undefined;

/** Finds steps by the plans that stand in `entries`. */
export function stepsIn(entries: readonly Entry[]): StepFinder {
  const known = new Map<string, PlannedStep>();
  for (const entry of entries) {
    if (entry.type !== 'plan') continue;
    for (const step of entry.plan.phases.flatMap((each) => each.steps)) known.set(`${entry.run} ${step.id}`, step);
  }
  return (run, step) => known.get(`${run} ${step}`);
}

/** What an entry says happened; null when it is not worth a line. Without `find` steps go by their ids instead of their titles. */
export function sentenceOf(entry: Entry, find: StepFinder = () => undefined): Sentence | null {
  const who = entry.actor.id;
  const titleOf = (step: string): string => find(entry.run, step)?.title ?? nameless(step);
  switch (entry.type) {
    case 'alert.received':
      if (entry.outcome !== 'rejected') return null;
      return say('bad', `An alert from ${entry.source} was rejected${tail(entry.because)}`);
    case 'decision':
      return decisionSentence(entry.decision, who, entry.why, titleOf);
    case 'plan':
      return entry.stage === 'assess' ? null : say('info', `Plan ready: ${planSize(entry.plan.phases)}`);
    case 'approval': {
      const phases = phasesInWords(entry.phases);
      return entry.verdict === 'approve'
        ? say('good', `${who} approved ${phases}${tail(entry.why)}`)
        : say('bad', `${who} denied ${phases}${tail(entry.why)}`);
    }
    case 'intent': {
      const step = find(entry.run, entry.step);
      return step?.kind === 'wait' ? say('wait', `Waiting ${elapsed(step.forMs)}: ${step.title}`) : null;
    }
    case 'result':
      return resultSentence(entry, find(entry.run, entry.step));
    case 'undo':
      if (entry.stage === 'intent') return null;
      if (entry.stage === 'done') return say('info', `Taken back: ${titleOf(entry.step)}`);
      return entry.retryAt
        ? say(
            'wait',
            `${stop(`Not taken back yet: ${titleOf(entry.step)}${tail(entry.error?.message)}`)} It will be tried again.`,
          )
        : say('bad', `Could not be taken back: ${titleOf(entry.step)}${tail(entry.error?.message)}`);
    case 'evidence':
      return say('info', `Evidence kept: ${entry.method} from ${entry.acquiredFrom}`);
    case 'transfer':
      return say('info', `Custody passed from ${entry.releasedBy} to ${entry.receivedBy}: ${entry.purpose}`);
    case 'redaction':
      return say('info', `${who} redacted the field ${entry.field} of entry ${entry.entry}`);
    case 'key.rotate':
      return say('info', `The key that signs the log changed from ${entry.from} to ${entry.to}`);
    case 'access':
    case 'heartbeat':
      return null;
  }
}

function decisionSentence(
  decision: Decision,
  who: string,
  why: string | undefined,
  titleOf: (step: string) => string,
): Sentence | null {
  switch (decision.is) {
    case 'finding': {
      const { title, exposure, source, verdict } = decision;
      if (verdict === 'told') return say('wait', `Told only, not acted on: ${title}${tail(decision.because)}`);
      return say('bad', `${source} reports: ${title} (${exposureWords(exposure)})`);
    }
    case 'incident-opened':
      return say('bad', `Incident opened, ${decision.severity}: ${decision.title}`);
    case 'run-opened': {
      const { credential, runbook, requestedBy } = decision;
      const by = requestedBy ? `, asked for by ${requestedBy}` : '';
      return say('info', `Working on ${credential.kind} ${credential.id} with the runbook ${runbook}${by}`);
    }
    case 'phase-begun':
      return say('info', `${capital(NOUN[decision.phase])} began${tail(decision.because)}`);
    case 'phase-ended':
      return decision.ok
        ? say('good', `${capital(PAST[decision.phase])}${tail(decision.because)}`)
        : say('bad', `${capital(NOUN[decision.phase])} did not succeed${tail(decision.because)}`);
    case 'closed':
      return say('info', `Closed${tail(decision.because)}`);
    case 'undo-requested':
      return say(
        'wait',
        `${who} asked to undo ${inWords(decision.steps.map((step) => `“${titleOf(step)}”`))}${tail(why)}`,
      );
    case 'undo-ended':
      return decision.ok
        ? say('info', 'Undone: everything that could be taken back was taken back')
        : say('bad', 'Undone in part only; a person must look at what is left');
    case 'retry-requested':
      return say('info', `${who} asked to try again`);
    case 'answered':
      return say('good', `${who} did “${titleOf(decision.step)}”: ${decision.answer}`);
    case 'frozen':
      return say('wait', `${who} froze Tourniquet: nothing is changed at any provider${tail(why)}`);
    case 'thawed':
      return say('info', `${who} thawed Tourniquet${tail(why)}`);
  }
}

function resultSentence(entry: Extract<Entry, { type: 'result' }>, step: PlannedStep | undefined): Sentence | null {
  const title = step?.title ?? nameless(entry.step);
  const because = tail(entry.error?.message);
  switch (entry.outcome) {
    case 'done':
      if (isRead(step)) return null;
      if (step?.kind === 'confirm') return say('good', `Proved ${step.expect} at the provider: ${title}`);
      return say('good', `${entry.by === 'probe' ? 'Found done' : 'Done'}: ${title}`);
    case 'seen':
      return say('wait', `${stop(`As hoped, once: ${title}`)} Looking again before believing it.`);
    case 'retry':
      return step?.kind === 'confirm'
        ? null
        : say('wait', `${stop(`Not done yet: ${title}${because}`)} It will be tried again.`);
    case 'in-doubt':
      return say('wait', `${stop(`Not known whether it was applied: ${title}${because}`)} Asking the provider.`);
    case 'not-done':
      return say('info', `${stop(`Found not applied: ${title}`)} It will be tried again.`);
    case 'failed':
      return isRead(step) && step.otherwise !== undefined
        ? say('info', `${stop(`Could not be read: ${title}${because}`)} Going on without it.`)
        : say('bad', `Failed: ${title}${because}`);
    case 'unknown':
      return say('bad', `${stop(`Nobody knows whether this took effect: ${title}${because}`)} A person must look.`);
    case 'skipped':
      return say('info', `Nothing to do: ${title}`);
  }
}

/** How the run stands, what it waits for, and above all whether the credential is contained. */
export function standingWords(run: RunView): string {
  const contained = run.milestones.contained !== undefined ? 'Contained' : 'NOT contained';
  const { action, state } = run;
  switch (run.standing) {
    case 'assessing':
      return 'Not contained yet; finding out what the credential can do and who uses it';
    case 'containing':
      return run.milestones.contained === undefined ? 'Not contained yet; containing now' : 'Contained';
    case 'contained':
      return state.closed ? 'Contained; closed without retiring the credential' : 'Contained';
    case 'rotating':
      return `${contained}; giving its users a replacement`;
    case 'soaking': {
      const until = action.do === 'sleep' ? ` until ${stamp(action.until)}` : '';
      return `${contained}; waiting${until} before it is retired for good`;
    }
    case 'retiring':
      return `${contained}; retiring the credential for good`;
    case 'retired':
      return 'Retired: contained, replaced and dead for good';
    case 'waiting-approval':
      return action.do === 'await' && action.what.need === 'approval'
        ? `${contained}; waiting for ${approvalWords(action.what)}`
        : `${contained}; waiting for approval`;
    case 'waiting-answer':
      return `${contained}; waiting for a person to do ${quoted(run, action.do === 'await' && action.what.need === 'answer' ? [action.what.step] : [])}`;
    case 'needs-person':
      return `${contained}; stuck at ${quoted(run, action.do === 'await' && action.what.need === 'help' ? action.what.steps : [])}; a person must look`;
    case 'frozen':
      return `${contained}; frozen: nothing is changed at any provider until someone thaws Tourniquet`;
    case 'undoing':
      return 'Being undone: what was changed is being taken back';
    case 'undone':
      return state.undo?.ended?.ok
        ? 'UNDONE: the credential may work again'
        : 'UNDONE IN PART: some of what was changed is still in place';
    case 'denied':
      return 'NOT contained; denied by a person, so nothing more is done';
    case 'closed':
      return `${contained}; closed${tail(state.closed?.because)}`;
  }
}

/** A step that stands in no plan: planning itself can fail as a step can. */
const nameless = (step: string): string =>
  step === planningStep('assess') || step === planningStep('response') ? 'Make the plan' : step;

const quoted = (run: RunView, ids: readonly string[]): string => {
  const titles = run.phases.flatMap((each) => each.steps).filter(({ step }) => ids.includes(step.id));
  return inWords(
    titles.length === 0 ? ids.map((id) => `“${nameless(id)}”`) : titles.map(({ step }) => `“${oneLine(step.title)}”`),
  );
};

/** "1 approval of lead or approver". */
export const approvalWords = ({ people, roles }: Pick<ApprovalRule, 'people' | 'roles'>): string =>
  `${plural(people, 'approval')}${roles.length === 0 ? '' : ` of ${inWords(roles, 'or')}`}`;

export interface StepWords {
  readonly mark: '✓' | '✗' | '?' | '…' | '·' | '↩';
  readonly title: string;
  /** Empty when nothing has become of it yet. */
  readonly became: string;
}

/** What became of a step; `undone` is where its undo stands, if one was asked for. */
export function stepWords(step: PlannedStep, state: StepState | undefined, undone?: UndoState): StepWords {
  const words = (mark: StepWords['mark'], became: string): StepWords => ({
    mark,
    title: oneLine(step.title),
    became: oneLine(became),
  });
  if (undone?.is === 'done') return words('↩', 'taken back');
  if (undone?.is === 'failed') return words('✗', `could not be taken back: ${undone.error.message}`);
  switch (state?.is) {
    case undefined:
      return words('·', '');
    case 'intended':
      return words('…', step.kind === 'wait' ? `since ${stamp(state.since)}` : 'begun, no answer yet');
    case 'seen':
      return words('…', `as hoped at ${stamp(state.at)}; looking again before believing it`);
    case 'again':
      return words('…', `not done yet${state.error ? `: ${state.error.message}` : ''}; again at ${stamp(state.at)}`);
    case 'done':
      return words('✓', `${step.kind === 'confirm' ? `proved ${step.expect}` : 'done'} at ${stamp(state.at)}`);
    case 'failed':
      return words('✗', state.error.message);
    case 'unknown':
      return words('?', `not known whether it took effect: ${state.error.message}`);
  }
}

export interface PlanWords {
  /** The phases that change something or wait, in order; steps are numbered throughout. */
  readonly phases: readonly {
    readonly phase: Phase;
    readonly heading: string;
    readonly steps: readonly PlanStepWords[];
  }[];
  /** "Steps 1 and 2 can be undone. Step 6 cannot be undone." */
  readonly undo: string;
}

export interface PlanStepWords extends StepWords {
  readonly number: number;
  /** What it does to the world. */
  readonly nature: 'reads' | 'can be undone' | 'cannot be undone' | 'proof' | 'by hand' | 'wait';
  /** Why a step that cannot be undone comes before retirement. */
  readonly unavoidable?: string;
}

/** What the run will do, which of it can be taken back, which cannot, and who must say yes. Assessment is left out: it only reads. */
export function planWords(run: RunView): PlanWords {
  let number = 0;
  const phases = run.phases
    .filter(({ phase, steps }) => phase !== 'assess' && steps.length > 0)
    .map(({ phase, approval, steps }) => ({
      phase,
      heading: oneLine(
        `${capital(NOUN[phase])}: ${approval.people === 0 ? 'no approval needed' : `needs ${approvalWords(approval)}`}, because ${approval.because}`,
      ),
      steps: steps.map(({ step, state }): PlanStepWords => {
        number += 1;
        const unavoidable = step.kind === 'call' ? step.unavoidable : undefined;
        return {
          ...stepWords(step, state, run.state.undo?.steps.get(step.id)),
          number,
          nature: natureOf(step),
          ...(unavoidable ? { unavoidable: oneLine(unavoidable) } : {}),
        };
      }),
    }));
  const steps = phases.flatMap((each) => each.steps);
  const which = (nature: PlanStepWords['nature']): string => {
    const numbers = steps.filter((step) => step.nature === nature).map((step) => String(step.number));
    return numbers.length === 0 ? '' : `${numbers.length === 1 ? 'Step' : 'Steps'} ${inWords(numbers)} ${nature}.`;
  };
  return { phases, undo: [which('can be undone'), which('cannot be undone')].filter(Boolean).join(' ') };
}

function natureOf(step: PlannedStep): PlanStepWords['nature'] {
  switch (step.kind) {
    case 'call':
      if (step.effect === 'observe') return 'reads';
      return step.effect === 'reversible' ? 'can be undone' : 'cannot be undone';
    case 'confirm':
      return 'proof';
    case 'guided':
      return 'by hand';
    case 'wait':
      return 'wait';
  }
}

function planSize(phases: readonly { readonly steps: readonly PlannedStep[] }[]): string {
  const natures = phases.flatMap((each) => each.steps).map(natureOf);
  const final = natures.filter((nature) => nature === 'cannot be undone').length;
  return `${plural(natures.length, 'step')}, ${final === 0 ? 'none' : final} of which cannot be undone`;
}

/** "containment and retirement". */
export const phasesInWords = (phases: readonly Phase[]): string => inWords(phases.map((phase) => NOUN[phase]));

export const exposureWords = (exposure: Exposure): string => EXPOSURES[exposure];

const EXPOSURES: Record<Exposure, string> = {
  public: 'public: anyone can read it',
  internal: 'exposed inside the organisation',
  anomaly: 'not seen exposed, but used oddly',
  unknown: 'not known who can read it',
};
const NOUN: Record<Phase, string> = {
  assess: 'assessment',
  contain: 'containment',
  rotate: 'rotation',
  retire: 'retirement',
};
const PAST: Record<Phase, string> = { assess: 'assessed', contain: 'contained', rotate: 'rotated', retire: 'retired' };

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** A span in its two largest units: `4 s`, `3 min 12 s`, `6 d 3 h`; less than a second is `0 s`. */
export function elapsed(ms: number): string {
  let rest = Math.max(0, Math.floor(ms / 1_000)) * 1_000;
  const parts = UNITS.flatMap(([unit, size]) => {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    return [{ unit, amount }];
  });
  const first = parts.findIndex(({ amount }) => amount > 0);
  if (first < 0) return '0 s';
  const shown = parts.slice(first, first + 2).filter(({ amount }) => amount > 0);
  return shown.map(({ unit, amount }) => `${amount} ${unit}`).join(' ');
}

/** Relative and absolute with its zone: `4 s ago · 03:12:09 UTC`; the date is added when it is not today's. */
export function when(iso: string, now: Date): string {
  const at = Date.parse(iso);
  const ms = now.getTime() - at;
  const day = iso.slice(0, 10) === now.toISOString().slice(0, 10) ? '' : `${new Date(at).toISOString().slice(0, 10)} `;
  return `${ms < 0 ? `in ${elapsed(-ms)}` : `${elapsed(ms)} ago`} · ${day}${new Date(at).toISOString().slice(11, 19)} UTC`;
}

/** `2026-03-01 03:12:09 UTC`. */
export const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** `text` on one line, without control characters, zero-width characters and marks that turn the reading direction. */
export const oneLine = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '')
    .trim();

/** `a, b and c`. */
export function inWords(items: readonly string[], last: 'and' | 'or' = 'and'): string {
  const head = items.slice(0, -1);
  return head.length === 0 ? (items[0] ?? '') : `${head.join(', ')} ${last} ${items.at(-1)}`;
}

const say = (tone: Tone, text: string): Sentence => ({ tone, text: oneLine(text) });
/** Ends a sentence before the next one follows. */
const stop = (text: string): string => (/[.!?…]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`);
const tail = (text: string | undefined): string => (text ? `: ${text}` : '');
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
const isRead = (step: PlannedStep | undefined): step is Extract<PlannedStep, { kind: 'call' }> =>
  step?.kind === 'call' && step.effect === 'observe';
