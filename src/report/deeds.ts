import type { Entry } from '../core/entry.ts';
import type { PlannedStep } from '../core/plan.ts';
import type { IncidentView, RunView } from '../incident/view.ts';
import { type StepFinder, stepsIn } from '../incident/words/sentence.ts';
import { nameless } from '../incident/words/terms.ts';
import { oneLine } from '../incident/words/text.ts';

/** A step that no undo takes back. */
export interface Irreversible {
  readonly title: string;
  /** ISO 8601; null where it is not known whether it took effect. */
  readonly at: string | null;
  /** Why it stood before retirement, where it did. */
  readonly unavoidable?: string;
}

/** A step that did not go well at once. */
export interface Trouble {
  readonly title: string;
  readonly what: string;
  readonly ended: string;
}

/** Something that was taken back, or was to be. */
export interface Undone {
  readonly title: string;
  readonly became: string;
}

/** What was done for good, in the order of the plan. */
export const irreversibleOf = ({ phases }: RunView): readonly Irreversible[] =>
  phases
    .flatMap(({ steps }) => steps)
    .flatMap(({ step, state }) => {
      if (step.kind !== 'call' || step.effect !== 'irreversible') return [];
      if (state?.is !== 'done' && state?.is !== 'intended' && state?.is !== 'unknown') return [];
      const unavoidable = step.unavoidable === undefined ? {} : { unavoidable: oneLine(step.unavoidable) };
      const at = state.is === 'done' ? new Date(state.at).toISOString() : null;
      return [{ title: oneLine(step.title), at, ...unavoidable }];
    });

type Result = Extract<Entry, { type: 'result' }>;

/** What failed, was in doubt or had to be tried again, by step, and how that ended. */
export function troublesOf({ entries, runs }: IncidentView): readonly Trouble[] {
  const find = stepsIn(entries);
  const results = entries.filter((entry) => entry.type === 'result');
  const bySteps = Map.groupBy(results, ({ run, step }) => `${run} ${step}`);
  return [...bySteps.values()].flatMap((all): Trouble[] => {
    const [first] = all;
    const step = first && find(first.run, first.step);
    const bad = all.filter((result) => isTrouble(result, step));
    const last = bad.at(-1);
    if (!first || !last) return [];
    const state = runs.find(({ id }) => id === first.run)?.state.steps.get(first.step);
    return [
      {
        title: titleOf(find, first.run, first.step),
        what: whatWords(bad.length, last.error?.message),
        ended: endedWords(state?.is, step),
      },
    ];
  });
}

/** A confirmation that asks again is only waiting. */
function isTrouble({ outcome }: Result, step: PlannedStep | undefined): boolean {
  switch (outcome) {
    case 'failed':
    case 'unknown':
    case 'in-doubt':
    case 'not-done':
      return true;
    case 'retry':
      return step?.kind !== 'confirm';
    case 'done':
    case 'seen':
    case 'skipped':
      return false;
  }
}

function whatWords(times: number, message = 'no answer'): string {
  return oneLine(times === 1 ? message : `${times} times, at last: ${message}`);
}

function endedWords(state: string | undefined, step: PlannedStep | undefined): string {
  if (state === 'done') return 'done in the end';
  if (state === 'unknown') return 'not known whether it took effect';
  if (state === 'failed')
    return step?.kind === 'call' && step.otherwise !== undefined ? 'went on without it' : 'not done';
  return 'being tried again';
}

/** What people asked to take back, and what became of it. */
export function undoneOf({ entries }: IncidentView): readonly Undone[] {
  const find = stepsIn(entries);
  const undos = entries.filter((entry) => entry.type === 'undo');
  const bySteps = Map.groupBy(undos, ({ run, step }) => `${run} ${step}`);
  return [...bySteps.values()].flatMap((all): Undone[] => {
    const last = all.at(-1);
    if (!last) return [];
    return [{ title: titleOf(find, last.run, last.step), became: undoWords(last) }];
  });
}

function undoWords({ stage, error, time }: Extract<Entry, { type: 'undo' }>): string {
  switch (stage) {
    case 'intent':
      return 'begun, no answer yet';
    case 'done':
      return `taken back at ${time.utc.slice(0, 19).replace('T', ' ')} UTC`;
    case 'failed':
      return oneLine(`not taken back${error ? `: ${error.message}` : ''}`);
  }
}

const titleOf = (find: StepFinder, run: string | undefined, step: string): string =>
  oneLine(find(run, step)?.title ?? nameless(step));
