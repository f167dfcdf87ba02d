import { Failure } from '#tourniquet';
import { withoutTokens } from './token.ts';

export type Headers = Readonly<Record<string, string | number | undefined>>;

/** What GitHub answered when it did not do what was asked. */
export interface Refusal {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
  /** What was asked: `DELETE /repos/acme/web/keys/7`. */
  readonly asked: string;
  /** The App permission that it takes, where we know: `administration:write`. */
  readonly needs: string | null;
}

/** GitHub asks for at least this after a secondary limit that names no time: https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api */
const SECONDARY_LIMIT_MS = 60_000;

/** GitHub's own word for what went wrong; never its `errors`, which can repeat what was sent. */
export function messageOf(body: unknown): string {
  const message = typeof body === 'object' && body !== null && 'message' in body ? body.message : undefined;
  return typeof message === 'string' ? withoutTokens(message).slice(0, 200) : 'no reason given';
}

const text = (headers: Headers, name: string): string | undefined =>
  headers[name] === undefined ? undefined : String(headers[name]);

/** Milliseconds until GitHub will listen again, or null when this is not about rates. */
function throttledFor({ status, headers, body }: Refusal, now: Date): number | null {
  const after = Number(text(headers, 'retry-after') ?? Number.NaN);
  const limited = status === 429 || Number.isFinite(after) || /rate limit|abuse detection/i.test(messageOf(body));
  const exhausted = text(headers, 'x-ratelimit-remaining') === '0';
  if (!limited && !exhausted) return null;
  if (Number.isFinite(after)) return after * 1_000;
  const reset = Number(text(headers, 'x-ratelimit-reset') ?? Number.NaN);
  if (exhausted && Number.isFinite(reset)) return Math.max(1_000, reset * 1_000 - now.getTime());
  return SECONDARY_LIMIT_MS;
}

/** What a refusal means for the step, in words for a person. */
export function failureOf(refusal: Refusal, now: Date): Failure {
  const { status, headers, body, asked, needs } = refusal;
  const requestId = text(headers, 'x-github-request-id');
  const said = messageOf(body);
  const fail = (code: ConstructorParameters<typeof Failure>[0], message: string, retryAfterMs?: number) =>
    new Failure(code, message, {
      ...(requestId === undefined ? {} : { requestId }),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
  if (status === 403 || status === 429) {
    const wait = throttledFor(refusal, now);
    if (wait !== null) return fail('throttled', `GitHub limits our rate on ${asked}; nothing was done.`, wait);
    const wanted =
      text(headers, 'x-accepted-github-permissions')?.replaceAll('=', ':') ?? needs ?? 'one we do not know';
    return fail(
      'denied',
      `GitHub refused ${asked}: ${said}. Give the app the permission ${wanted}, then accept it on the installation.`,
    );
  }
  if (status === 401) return fail('denied', `GitHub did not accept our credentials for ${asked}: ${said}.`);
  if (status === 404 || status === 410 || (status >= 300 && status < 400)) {
    return fail(
      'missing',
      `GitHub has nothing at ${asked}. It answers the same where we lack permission${needs === null ? '' : ` (${needs})`} or the app is not installed.`,
    );
  }
  if (status === 409) return fail('conflict', `GitHub refused ${asked} in its present state: ${said}.`);
  if (status >= 500) return fail('unavailable', `GitHub failed on ${asked} with ${status}; it may have been applied.`);
  return fail('invalid', `GitHub did not accept ${asked}: ${said}.`);
}

/** What a call that got no answer means. Never carries the request, whose body may hold a secret. */
export function silenceOf(error: unknown, asked: string, signal: AbortSignal): Failure {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof Failure) return cause;
  if (signal.aborted)
    return new Failure('timeout', `GitHub did not answer ${asked} in time; it may have been applied.`);
  return new Failure('unavailable', `The connection to GitHub failed during ${asked}; it may have been applied.`);
}

/** GitHub answered, but not as it describes itself. */
export const garbled = (asked: string, headers: Headers): Failure => {
  const requestId = text(headers, 'x-github-request-id');
  const message = `What came back from ${asked} is not what GitHub describes; it may have been applied. Is a proxy in between?`;
  return new Failure('garbled', message, requestId === undefined ? {} : { requestId });
};
