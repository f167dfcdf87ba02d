import type { FailureCode } from '../core/failure.ts';

/** What is known of a provider that may be down. Times are milliseconds since the epoch. */
export type BreakerState =
  | { readonly is: 'closed'; readonly failures: number }
  /** Nobody asks before `until`; then one call finds out, and `probing` says until when it may take to tell. */
  | { readonly is: 'open'; readonly until: number; readonly opened: number; readonly probing: number };

export const CLOSED: BreakerState = { is: 'closed', failures: 0 };

const MOST_FAILURES = 5;
const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;
/** A call that finds out and never tells (its run was taken over) does not keep the others out for ever. */
const PROBE_MS = 30_000;
/** As often as an urgent call would try again by itself, it may find out whether the provider is back. */
const URGENT_MS = 1_000;

/**
 * Whether a call may be made: `waitMs` is 0, or how long to stay away. While open, one call at a time finds out: anybody's
 * after the cool-down, an urgent one at any time. Pure.
 */
export function ask(
  state: BreakerState,
  urgent: boolean,
  now: number,
): { readonly state: BreakerState; readonly waitMs: number } {
  if (state.is === 'closed') return { state, waitMs: 0 };
  const free = state.probing <= now;
  if (free && (urgent || state.until <= now)) return { state: { ...state, probing: now + PROBE_MS }, waitMs: 0 };
  const waitMs = Math.max(state.until - now, free ? 1 : URGENT_MS);
  return { state, waitMs: urgent ? Math.min(waitMs, URGENT_MS) : waitMs };
}

/** The state after a call ended: with an answer (`null`, or a failure that only a living provider gives), without one, or before it asked. */
export function heard(state: BreakerState, failure: FailureCode | null, now: number): BreakerState {
  if (failure === 'bug' || failure === 'invalid') return state.is === 'open' ? { ...state, probing: 0 } : state;
  if (failure !== 'unavailable' && failure !== 'timeout') return CLOSED;
  if (state.is === 'open') {
    // Calls that began before it opened end one by one; only what was sent to find out prolongs the silence.
    if (state.probing <= now) return state;
    return opened(state.opened + 1, now);
  }
  const failures = state.failures + 1;
  return failures < MOST_FAILURES ? { is: 'closed', failures } : opened(1, now);
}

const opened = (times: number, now: number): BreakerState => ({
  is: 'open',
  until: now + Math.min(LONGEST_MS, FIRST_MS * 2 ** (times - 1)),
  opened: times,
  probing: 0,
});

export type BreakerStanding = 'closed' | 'half-open' | 'open';

export function standingOf(state: BreakerState, now: number): BreakerStanding {
  if (state.is === 'closed') return 'closed';
  return state.probing > now || state.until <= now ? 'half-open' : 'open';
}
