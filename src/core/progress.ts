import type { Call } from './action.ts';
import type { RunState, StepState } from './journal.ts';
import type { Json } from './json.ts';
import type { PlannedStep } from './plan.ts';
import { referencesIn } from './planner.ts';

/** Whether the step only reads: it may be repeated, and run beside other reads. */
export const isRead = (step: PlannedStep): step is Call['step'] => step.kind === 'call' && step.effect === 'observe';
/** Whether the run goes on without it: its plan says what is assumed then. */
export const mayFail = (step: PlannedStep): boolean => step.kind === 'call' && step.otherwise !== undefined;
/** Whether only a person can move it. */
export const isStuck = (state: StepState | undefined): boolean => state?.is === 'failed' || state?.is === 'unknown';

/** Whether the step needs an output that there is not, yet or ever. */
export function lacksInput(step: PlannedStep, outputs: ReadonlyMap<string, Json>): boolean {
  if (step.kind !== 'call' && step.kind !== 'confirm') return false;
  return referencesIn(step.input).some((id) => !outputs.has(id));
}

/** What each step gave, or what stands in for a read that could not be had. */
export function outputsOf(state: RunState): ReadonlyMap<string, Json> {
  const outputs = new Map<string, Json>();
  for (const phase of [...(state.assess?.plan.phases ?? []), ...(state.response?.plan.phases ?? [])]) {
    for (const step of phase.steps) {
      const current = state.steps.get(step.id);
      if (current?.is === 'done') outputs.set(step.id, current.out);
      else if (isStuck(current) && step.kind === 'call' && step.otherwise !== undefined)
        outputs.set(step.id, step.otherwise);
    }
  }
  return outputs;
}
