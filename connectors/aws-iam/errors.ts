import { z } from 'zod';
import { Failure } from '#tourniquet';

const sdkError = z.object({
  name: z.string(),
  message: z.string(),
  code: z.string().optional().catch(undefined),
  $metadata: z
    .object({ httpStatusCode: z.number().optional(), requestId: z.string().optional() })
    .optional()
    .catch(undefined),
  $response: z
    .object({ headers: z.record(z.string(), z.string()) })
    .optional()
    .catch(undefined),
});
type SdkError = z.output<typeof sdkError>;

const THROTTLED = /^(Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled|SlowDown|ProvisionedThroughput)/;
const BUSY = /^(EntityTemporarilyUnmodifiable|ConcurrentModification)/;
const GONE = /^(NoSuchEntity|ResourceNotFound)/;
const CONFLICT = /^(EntityAlreadyExists|DeleteConflict|ResourceExists|InvalidRequest)/;
const OUR_CREDENTIALS =
  /^(InvalidClientTokenId|SignatureDoesNotMatch|IncompleteSignature|ExpiredToken|UnrecognizedClient|InvalidSignature|MissingAuthenticationToken)/;
const DENIED = /^(AccessDenied|UnauthorizedOperation|NotAuthorized|OptInRequired)/;
const NOT_OFFERED = /^(InvalidAction|UnknownOperation|NotImplemented|NotYetImplemented|NotFound$)/;
const NETWORK = /^(ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_SOCKET|UND_ERR)/;
const TIMED_OUT = /^(ETIMEDOUT|ESOCKETTIMEDOUT)/;

/**
 * What went wrong with one call, for the engine and for people. The SDK's error is not kept as the cause: it carries the
 * signed request, session token included. `permission` names what the call needed, `iam:UpdateAccessKey`.
 */
export function failureOf(error: unknown, permission: string, signal: AbortSignal): Failure {
  if (error instanceof Failure) return error;
  const parsed = sdkError.safeParse(error);
  if (!parsed.success) return new Failure('bug', `${permission}: something that is not an error was thrown.`);
  const { name, message, $metadata, code } = parsed.data;
  const status = $metadata?.httpStatusCode ?? 0;
  const more = $metadata?.requestId === undefined ? {} : { requestId: $metadata.requestId };
  const fail = (failure: ConstructorParameters<typeof Failure>[0], text: string): Failure =>
    new Failure(failure, `${permission}: ${text}`, more);

  if (signal.aborted || name === 'AbortError' || name === 'TimeoutError' || TIMED_OUT.test(code ?? ''))
    return fail('timeout', 'AWS did not answer in time, so it may or may not have been applied.');
  if (NETWORK.test(code ?? '') || /^(socket hang up|aborted|terminated)/.test(message))
    return fail('unavailable', 'the connection to AWS broke, so it may or may not have been applied.');
  if (THROTTLED.test(name) || status === 429)
    return new Failure('throttled', `${permission}: AWS asks us to slow down.`, {
      ...more,
      ...retryAfter(parsed.data),
    });
  if (BUSY.test(name)) return fail('busy', 'AWS is still applying another change to the same thing; try again soon.');
  if (OUR_CREDENTIALS.test(name))
    return fail(
      'denied',
      `AWS does not accept the bot's own credentials (${name}). Check them with \`tourniquet doctor\`.`,
    );
  if (DENIED.test(name))
    return fail(
      'denied',
      `the bot may not do this. Grant it ${permission}, as in connectors/aws-iam/README.md; \`tourniquet doctor\` lists what is missing.`,
    );
  if (GONE.test(name)) return fail('missing', `AWS knows no such thing (${excerpt(message)}).`);
  if (name.startsWith('LimitExceeded')) return fail('conflict', limitText(permission, message));
  if (CONFLICT.test(name)) return fail('conflict', `it contradicts what is there now (${excerpt(message)}).`);
  if (NOT_OFFERED.test(name) || status === 501) return fail('invalid', 'this endpoint does not offer the call.');
  if (status >= 500) return fail('unavailable', `AWS answered ${status}, so it may or may not have been applied.`);
  if (status === 403) return fail('denied', `AWS refused with ${name}. Grant ${permission}.`);
  if (status === 404) return fail('missing', `AWS knows no such thing (${name}).`);
  if (status === 409) return fail('conflict', `it contradicts what is there now (${name}).`);
  if (status >= 400) return fail('invalid', `AWS refused it as invalid (${name}: ${excerpt(message)}).`);
  if (status >= 200) return fail('garbled', 'the answer could not be read, so it may or may not have been applied.');
  if (name === 'CredentialsProviderError')
    return fail('denied', 'no AWS credentials were found. Set AWS_ACCESS_KEY_ID, or run with a role.');
  return fail('bug', `an unexpected ${name} in our own code.`);
}

function retryAfter({ $response }: SdkError): { retryAfterMs?: number } {
  const seconds = Number($response?.headers['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: seconds * 1_000 } : {};
}

const limitText = (permission: string, message: string): string =>
  permission === 'iam:CreateAccessKey'
    ? 'the user already has two access keys, and AWS allows no third (disabled ones count). Delete the one that nothing uses, then try again.'
    : `a quota of the account is used up (${excerpt(message)}).`;

/** AWS's own words, short enough for a card. Only for errors that do not quote the request. */
const excerpt = (message: string): string => message.replaceAll(/\s+/g, ' ').slice(0, 200);

/** What was asked for, or undefined when AWS knows no such thing. */
export async function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof Failure && error.code === 'missing') return undefined;
    throw error;
  }
}
