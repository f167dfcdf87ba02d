import type { StepState, UndoState } from '../../core/journal.ts';
import type { Phase, PlannedStep } from '../../core/plan.ts';
import type { RunView } from '../view.ts';
import { approvalWords, NOUN } from './terms.ts';
import { capital, inWords, oneLine, plural, stamp } from './text.ts';

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

export function planSize(phases: readonly { readonly steps: readonly PlannedStep[] }[]): string {
  const natures = phases.flatMap((each) => each.steps).map(natureOf);
  const final = natures.filter((nature) => nature === 'cannot be undone').length;
  return `${plural(natures.length, 'step')}, ${final === 0 ? 'none' : final} of which cannot be undone`;
}
