import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../connectors/aws-iam/errors.ts';
import type { FailureCode } from '../../../src/core/failure.ts';
import { contextOf } from '../../connector.suite.ts';
import { openAws, where } from './world.ts';

const signal = new AbortController().signal;
const sdkError = (name: string, status: number | undefined, more: object = {}): Error =>
  Object.assign(new Error('message of AWS'), { name, $metadata: { httpStatusCode: status, requestId: 'r-1' } }, more);

const cases: readonly (readonly [Error, FailureCode])[] = [
  [sdkError('Throttling', 400), 'throttled'],
  [sdkError('ThrottlingException', 400), 'throttled'],
  [sdkError('TooManyRequestsException', 429), 'throttled'],
  [sdkError('EntityTemporarilyUnmodifiableException', 409), 'busy'],
  [sdkError('ConcurrentModificationException', 409), 'busy'],
  [sdkError('AccessDenied', 403), 'denied'],
  [sdkError('InvalidClientTokenId', 403), 'denied'],
  [sdkError('ExpiredToken', 403), 'denied'],
  [sdkError('NoSuchEntityException', 404), 'missing'],
  [sdkError('ResourceNotFoundException', 400), 'missing'],
  [sdkError('LimitExceededException', 409), 'conflict'],
  [sdkError('EntityAlreadyExistsException', 409), 'conflict'],
  [sdkError('ValidationError', 400), 'invalid'],
  [sdkError('MalformedPolicyDocumentException', 400), 'invalid'],
  [sdkError('InternalFailure', 500), 'unavailable'],
  [sdkError('SyntaxError', 503), 'unavailable'],
  [sdkError('SyntaxError', 200), 'garbled'],
  [sdkError('Error', undefined, { code: 'ECONNRESET' }), 'unavailable'],
  [sdkError('Error', undefined, { code: 'ENOTFOUND' }), 'unavailable'],
  [sdkError('TimeoutError', undefined), 'timeout'],
  [sdkError('AbortError', undefined), 'timeout'],
  [sdkError('TypeError', undefined), 'bug'],
];

describe('an error of the AWS SDK', () => {
  it.each(cases)('$name becomes a failure that says what it left behind', (error, code) => {
    expect(failureOf(error, 'iam:UpdateAccessKey', signal)).toMatchObject({ code, requestId: 'r-1' });
  });

  it('names the permission that is missing', () => {
    const { message } = failureOf(sdkError('AccessDenied', 403), 'iam:UpdateAccessKey', signal);
    expect(message).toContain('iam:UpdateAccessKey');
  });

  it('waits as long as AWS asks', () => {
    const error = sdkError('Throttling', 429, { $response: { headers: { 'retry-after': '7' } } });
    expect(failureOf(error, 'iam:GetUser', signal).retryAfterMs).toBe(7_000);
  });

  it('keeps nothing of a message that quotes the signed request', () => {
    const quoted = 'The canonical string should have been: x-amz-security-token:the-session-token';
    const error = Object.assign(sdkError('SignatureDoesNotMatch', 403), { message: quoted });
    const failure = failureOf(error, 'iam:GetUser', signal);
    expect(`${failure.message} ${failure.stack} ${String(failure.cause)}`).not.toContain('the-session-token');
  });

  it('is in doubt when nothing listens at the endpoint', async () => {
    const world = await openAws();
    await world.close();
    const operation = world.connector.operations.get('aws-iam.lastUsed');
    if (operation?.effect !== 'observe') throw new Error('lastUsed');
    const asked = operation.run(contextOf(world), { id: world.key.id, where });
    await expect(asked).rejects.toMatchObject({ name: 'Failure', code: 'unavailable' });
  });
});
