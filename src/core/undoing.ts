import type { Action, Call, Switches } from './action.ts';
import type { RunState, StepState } from './journal.ts';

/**
 * The steps that an undo would take back now, last first. Once retirement has begun to destroy the old credential, nothing that
 * came before can be taken back: its users live on the replacement, and the state before no longer exists.
 */
export function undoable(state: RunState): Call['step'][] {
  const phases = state.response?.plan.phases ?? [];
  const steps = phases.flatMap(({ phase, steps }) => steps.map((step) => ({ phase, step })));
  const destroyed = steps.findLastIndex(
    ({ phase, step }) =>
      phase === 'retire' &&
      step.kind === 'call' &&
      step.effect === 'irreversible' &&
      mayBeApplied(state.steps.get(step.id)),
  );
  return steps
    .slice(destroyed + 1)
    .map(({ step }) => step)
    .filter((step): step is Call['step'] => step.kind === 'call' && step.effect === 'reversible')
    .filter((step) => state.steps.get(step.id)?.is === 'done' && state.undo?.steps.get(step.id)?.is !== 'done')
    .reverse();
}

const mayBeApplied = (state: StepState | undefined): boolean =>
  state?.is === 'done' || state?.is === 'intended' || state?.is === 'unknown';

/** What to do next for a run that is being undone; what may be in place is found out before anything is taken back. */
export function nextUndo(
  state: RunState,
  undo: NonNullable<RunState['undo']>,
  now: number,
  { frozen }: Switches,
): Action {
  const doubtful = inDoubt(state);
  if (doubtful) return doubtful; // an effect that may be there must be known before it can be taken back
  if (frozen) return { do: 'await', what: { need: 'thaw' } };
  const waiting: number[] = [];
  const left = undoable(state);
  for (const step of left) {
    const current = undo.steps.get(step.id);
    const done = state.steps.get(step.id);
    if (current?.is === 'failed' || done?.is !== 'done') continue;
    if (current?.is === 'again' && current.at > now) {
      waiting.push(current.at);
      continue;
    }
    const attempt = current && 'attempt' in current ? current.attempt + 1 : 1;
    return { do: 'undo', step, attempt, input: done.input, before: done.before };
  }
  if (waiting.length > 0) return { do: 'sleep', until: Math.min(...waiting), because: 'retry' };
  return { do: 'end-undo', ok: left.length === 0 };
}

function inDoubt(state: RunState): Action | null {
  for (const { phase, steps } of state.response?.plan.phases ?? []) {
    for (const step of steps) {
      const current = state.steps.get(step.id);
      if (step.kind === 'call' && step.effect !== 'observe' && current?.is === 'intended') {
        return { do: 'probe', phase, step, state: current };
      }
    }
  }
  return null;
}
