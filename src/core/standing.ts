import type { Action } from './action.ts';
import type { RunState } from './journal.ts';
import type { Phase } from './plan.ts';

/** How a run stands, in the one word that lists, cards and metrics use for it. */
export type Standing =
  | 'assessing'
  | 'containing'
  | 'contained'
  | 'rotating'
  | 'soaking'
  | 'retiring'
  | 'retired'
  | 'waiting-approval'
  | 'waiting-answer'
  | 'needs-person'
  | 'frozen'
  | 'undoing'
  | 'undone'
  | 'denied'
  | 'closed';

/** The standing of a run whose next action is `action`. */
export function standingOf(state: RunState, action: Action): Standing {
  if (state.closed) return closedStanding(state);
  if (state.undo) return 'undoing';
  if (action.do === 'await') {
    switch (action.what.need) {
      case 'approval':
        return 'waiting-approval';
      case 'answer':
        return 'waiting-answer';
      case 'help':
        return 'needs-person';
      case 'thaw':
        return 'frozen';
    }
  }
  if (action.do === 'sleep' && action.because === 'soak') return 'soaking';
  return DURING[action.do === 'begin' ? action.phase : currentPhase(state)];
}

const DURING = { assess: 'assessing', contain: 'containing', rotate: 'rotating', retire: 'retiring' } as const;

const currentPhase = (state: RunState): Phase => [...state.begun.keys()].at(-1) ?? 'assess';

function closedStanding(state: RunState): Standing {
  if (state.undo?.ended) return 'undone';
  if (state.ended.get('retire')?.ok) return 'retired';
  if (state.denials.length > 0) return state.ended.get('contain')?.ok ? 'contained' : 'denied';
  return state.ended.get('contain')?.ok ? 'contained' : 'closed';
}

/** The moments that are measured, in milliseconds since the epoch; absent while they have not come. */
export interface Milestones {
  readonly opened: number;
  /** The credential was confirmed dead at its provider, not merely asked to die. */
  readonly contained?: number;
  readonly rotated?: number;
  readonly retired?: number;
}

export function milestonesOf(state: RunState): Milestones {
  const at = (phase: Phase): number | undefined => {
    const ended = state.ended.get(phase);
    return ended?.ok ? ended.at : undefined;
  };
  const [contained, rotated, retired] = [at('contain'), at('rotate'), at('retire')];
  return {
    opened: state.opened.at,
    ...(contained === undefined ? {} : { contained }),
    ...(rotated === undefined ? {} : { rotated }),
    ...(retired === undefined ? {} : { retired }),
  };
}
