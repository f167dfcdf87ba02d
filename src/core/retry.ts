import { aftermath, type Failure } from './failure.ts';
import type { Effect } from './plan.ts';

/** What a failed call means for its step. `retry`: nothing was applied, try again after `delayMs`. */
export type Verdict =
  | { readonly is: 'retry'; readonly delayMs: number }
  | { readonly is: 'in-doubt' }
  | { readonly is: 'failed' };

const LONGEST_MS = 30_000;
const FIRST_MS = 300;

/** Waits doubling from 0.3 s to 30 s, with full jitter; never shorter than the provider asked. `jitter` is in [0, 1). */
export function backoff(attempt: number, jitter: number, retryAfterMs = 0): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempt - 1));
  return Math.max(retryAfterMs, Math.round(ceiling / 2 + (ceiling / 2) * jitter));
}

/**
 * Judges a failure of attempt number `attempt`. A read is never in doubt. Only failures that may pass are tried again, and not
 * forever: at last a person is called.
 */
export function judge(
  failure: Failure,
  step: { readonly effect: Effect; readonly attempt: number; readonly dispensable: boolean },
  jitter: number,
): Verdict {
  const left = attemptsFor(step) - step.attempt;
  const again: Verdict =
    left > 0 ? { is: 'retry', delayMs: backoff(step.attempt, jitter, failure.retryAfterMs) } : { is: 'failed' };
  switch (aftermath(failure.code)) {
    case 'not-applied-final':
      return { is: 'failed' };
    case 'not-applied-retry':
      return again;
    case 'in-doubt':
      if (step.effect !== 'observe') return { is: 'in-doubt' };
      return failure.code === 'bug' ? { is: 'failed' } : again;
  }
}

/** Missing evidence must not hold up containment; a mutation is worth more patience. */
function attemptsFor({ effect, dispensable }: { effect: Effect; dispensable: boolean }): number {
  if (effect !== 'observe') return 10;
  return dispensable ? 3 : 8;
}

/** How long until a confirmation asks again: soon at first, then every five seconds, and rarely where it takes hours. */
export function pollDelay(elapsedMs: number): number {
  const soon = Math.min(5_000, Math.max(200, Math.round(elapsedMs / 4)));
  return Math.max(soon, Math.min(60_000, Math.round(elapsedMs / 60)));
}

/** A probe that cannot be had for this long ends with a person. */
export const DOUBT_LIMIT_MS = 15 * 60_000;
