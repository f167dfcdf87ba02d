import type { Action, Call, Switches } from './action.ts';
import type { RunState } from './journal.ts';
import type { Json } from './json.ts';
import type { Phase, PlannedStep } from './plan.ts';
import { referencesIn, resolve } from './planner.ts';
import { isRead, isStuck, lacksInput, mayFail, outputsOf } from './progress.ts';

/** The first thing to do among `steps`; null when nothing is left to do in this phase. */
export function walk(
  state: RunState,
  phase: Phase,
  steps: readonly PlannedStep[],
  now: number,
  switches: Switches,
): Action | null {
  const outputs = outputsOf(state);
  let earliest: number | null = null;
  for (const [index, step] of steps.entries()) {
    const current = state.steps.get(step.id);
    if (current?.is === 'done') continue;
    if (isStuck(current)) {
      if (mayFail(step) || phase === 'contain') continue; // one failing part never stops the containment of the rest
      return null;
    }
    if (lacksInput(step, outputs)) {
      if (phase === 'contain') continue;
      return null;
    }
    if (current?.is === 'again' && current.at > now) {
      earliest = Math.min(earliest ?? current.at, current.at);
      if (phase === 'contain' || isRead(step)) continue; // while one step waits to try again, the others go on
      break;
    }
    if (earliest !== null && step.kind !== 'call') break; // a confirmation means nothing before the steps above it
    return actOn(state, phase, steps.slice(index), step, outputs, now, switches);
  }
  return earliest === null ? null : { do: 'sleep', until: earliest, because: 'retry' };
}

function actOn(
  state: RunState,
  phase: Phase,
  rest: readonly PlannedStep[],
  step: PlannedStep,
  outputs: ReadonlyMap<string, Json>,
  now: number,
  { frozen }: Switches,
): Action {
  const current = state.steps.get(step.id);
  const attempt = current && 'attempt' in current ? current.attempt + 1 : 1;
  switch (step.kind) {
    case 'call': {
      if (current?.is === 'intended' && step.effect !== 'observe') return { do: 'probe', phase, step, state: current };
      if (step.effect === 'observe') return { do: 'call', phase, calls: readsFrom(state, rest, outputs, now) };
      if (frozen) return { do: 'await', what: { need: 'thaw' } };
      return { do: 'call', phase, calls: [{ step, attempt, input: resolve(step.input, outputs) }] };
    }
    case 'confirm': {
      if (current?.is === 'seen') {
        const until = current.at + step.settleMs;
        if (now < until) return { do: 'sleep', until, because: 'settle' };
        return {
          do: 'confirm',
          step,
          attempt: current.attempt,
          input: current.input,
          since: current.since,
          seenAt: current.at,
        };
      }
      if (current?.is === 'intended') {
        return {
          do: 'confirm',
          step,
          attempt: current.attempt,
          input: current.input,
          since: current.since,
          seenAt: null,
        };
      }
      return { do: 'confirm', step, attempt, input: resolve(step.input, outputs), since: null, seenAt: null };
    }
    case 'guided':
      return { do: 'await', what: { need: 'answer', step: step.id } };
    case 'wait': {
      if (current?.is !== 'intended') return { do: 'start-wait', step };
      const until = current.since + step.forMs;
      return now < until
        ? { do: 'sleep', until, because: 'soak' }
        : { do: 'pass', step: step.id, attempt: current.attempt };
    }
  }
}

/** The reads at the head of `rest` that are due and need nothing from each other: they run at once. */
function readsFrom(
  state: RunState,
  rest: readonly PlannedStep[],
  outputs: ReadonlyMap<string, Json>,
  now: number,
): Call[] {
  const calls: Call[] = [];
  for (const step of rest) {
    if (!isRead(step)) break;
    const current = state.steps.get(step.id);
    const due = current === undefined || current.is === 'intended' || (current.is === 'again' && current.at <= now);
    if (!due || referencesIn(step.input).some((id) => !outputs.has(id))) continue;
    const attempt = current && 'attempt' in current ? current.attempt + 1 : 1;
    calls.push({ step, attempt, input: resolve(step.input, outputs) });
  }
  return calls;
}
