/**
 * Why a provider call did not give what was asked, by what it means for the step:
 * - `throttled`, `busy`: nothing was applied; try again, after `retryAfterMs` where the provider said so.
 * - `unavailable`, `timeout`, `garbled`: it may have been applied; ask the probe before anything else.
 * - `denied`, `invalid`, `missing`, `conflict`: nothing was applied and trying again will not help; a person decides.
 * - `bug`: our own code threw; treated as in doubt.
 */
export type FailureCode =
  | 'throttled'
  | 'busy'
  | 'unavailable'
  | 'timeout'
  | 'garbled'
  | 'denied'
  | 'invalid'
  | 'missing'
  | 'conflict'
  | 'bug';

/** The one error that an operation throws. Its message is for people: what happened and what to do; never a secret. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly retryAfterMs: number | undefined;
  readonly requestId: string | undefined;
  constructor(
    code: FailureCode,
    message: string,
    more: { retryAfterMs?: number; requestId?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.code = code;
    this.retryAfterMs = more.retryAfterMs;
    this.requestId = more.requestId;
  }
}

/** What a failure of this code leaves behind at the provider. */
export function aftermath(code: FailureCode): 'not-applied-retry' | 'in-doubt' | 'not-applied-final' {
  switch (code) {
    case 'throttled':
    case 'busy':
      return 'not-applied-retry';
    case 'unavailable':
    case 'timeout':
    case 'garbled':
    case 'bug':
      return 'in-doubt';
    case 'denied':
    case 'invalid':
    case 'missing':
    case 'conflict':
      return 'not-applied-final';
  }
}
