import type { Decision, Entry } from '../../core/entry.ts';
import type { PlannedStep } from '../../core/plan.ts';
import { planSize } from './plan.ts';
import { exposureWords, NOUN, nameless, PAST, phasesInWords } from './terms.ts';
import { capital, elapsed, inWords, oneLine, stop, tail } from './text.ts';

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

export const say = (tone: Tone, text: string): Sentence => ({ tone, text: oneLine(text) });

const isRead = (step: PlannedStep | undefined): step is Extract<PlannedStep, { kind: 'call' }> =>
  step?.kind === 'call' && step.effect === 'observe';
