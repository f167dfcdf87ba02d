import type { Action, Switches } from './action.ts';
import { gate } from './gate.ts';
import type { RunState } from './journal.ts';
import type { PlannedPhase } from './plan.ts';
import { isStuck, mayFail } from './progress.ts';
import { nextUndo } from './undoing.ts';
import { walk } from './walk.ts';

/**
 * The engine's whole judgement: what to do next for this run, given its journal and the time (milliseconds since the epoch).
 * Pure, so that a restart, another replica and a drill come to the same answer.
 */
export function next(state: RunState, now: number, switches: Switches): Action {
  if (state.closed) return { do: 'rest' };
  if (state.undo && !state.undo.ended) return nextUndo(state, state.undo, now, switches);
  if (state.undo?.ended) return { do: 'close', because: state.undo.ended.ok ? 'undone' : 'undone in part' };
  if (!state.assess) return plan(state, 'assess');
  for (const phase of state.assess.plan.phases) {
    const action = nextInPhase(state, phase, now, switches);
    if (action) return action;
  }
  if (!state.response) return plan(state, 'response');
  for (const phase of state.response.plan.phases) {
    const action = nextInPhase(state, phase, now, switches);
    if (action) return action;
  }
  return { do: 'close', because: 'every step is done' };
}

/** How entries name the planning of a stage, which can fail as a step can. */
export const planningStep = (stage: 'assess' | 'response'): string => `plan/${stage}`;

function plan(state: RunState, stage: 'assess' | 'response'): Action {
  const step = planningStep(stage);
  if (!isStuck(state.steps.get(step))) return { do: 'plan', stage };
  return { do: 'await', what: { need: 'help', phase: stage === 'assess' ? 'assess' : 'contain', steps: [step] } };
}

/** Null when the phase is over, well enough for the next one to begin. */
function nextInPhase(state: RunState, planned: PlannedPhase, now: number, switches: Switches): Action | null {
  const { phase, steps } = planned;
  const ended = state.ended.get(phase);
  if (ended?.ok || steps.length === 0) return null;
  if (!state.begun.has(phase)) return gate(state, planned, now, switches);
  const action = walk(state, phase, steps, now, switches);
  if (action) return action;
  const stuck = steps.filter((step) => isStuck(state.steps.get(step.id)) && !mayFail(step));
  if (stuck.length === 0)
    return { do: 'end', phase, ok: true, because: `${steps.length} of ${steps.length} steps done` };
  if (ended) return { do: 'await', what: { need: 'help', phase, steps: stuck.map((step) => step.id) } };
  return { do: 'end', phase, ok: false, because: `not done: ${stuck.map((step) => step.title).join('; ')}` };
}
