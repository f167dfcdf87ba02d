import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { type Ctx, Failure, type Liveness, operations, type SealedRef } from '#tourniquet';
import type { Aws } from '../client.ts';
import { failureOf } from '../errors.ts';
import { userPolicy } from '../inline-policy.ts';
import { keyStatus, listKeys } from '../keys.ts';
import { keyInput, keyInputWithSecret } from '../kinds.ts';
import { DENY_ALL_NAME, isDenyAll } from '../policy-text.ts';

const op = operations<Aws>();

/**
 * Whether an access key still works: what IAM says of it and, when the alert brought the secret, what STS does with it. STS
 * has the last word, because IAM's answer is ahead of what the services enforce by some seconds.
 */
export const liveness = op.observe({
  title: 'Check whether the access key still works',
  permissions: ['iam:ListAccessKeys'],
  docs: 'https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html',
  bucket: 'iam',
  input: keyInputWithSecret,
  run: async (ctx, { id, where, secret }): Promise<Liveness> => {
    const status = await keyStatus(ctx, where, id);
    const tried = secret === undefined ? 'no-secret' : await tryKey(ctx, id, secret);
    switch (tried) {
      case 'accepted':
        return { state: 'live', because: `STS still accepts the key (IAM lists it as ${status ?? 'gone'})` };
      case 'refused':
        return { state: 'dead', because: `STS refuses the key (IAM lists it as ${status ?? 'gone'})` };
      case 'not-its-secret':
      case 'no-secret':
        return fromStatus(status);
    }
  },
});

function fromStatus(status: string | null): Liveness {
  switch (status) {
    case null:
      return { state: 'dead', because: 'IAM no longer lists the key' };
    case 'Inactive':
    case 'Expired':
      return { state: 'dead', because: `IAM lists the key as ${status}` };
    case 'Active':
      return { state: 'live', because: 'IAM lists the key as Active' };
    default:
      return { state: 'unknown', because: `IAM lists the key with a status we do not know: ${status}` };
  }
}

type Tried = 'accepted' | 'refused' | 'not-its-secret' | 'no-secret';

async function tryKey(ctx: Ctx<Aws>, id: string, sealed: SealedRef): Promise<Tried> {
  let secretAccessKey: string;
  try {
    secretAccessKey = await ctx.secret(sealed);
  } catch (error) {
    if (error instanceof Failure && error.code === 'missing') return 'no-secret';
    throw error;
  }
  const sts = ctx.client.as({ accessKeyId: id, secretAccessKey });
  try {
    // GetCallerIdentity needs no permission and succeeds under an explicit deny: it proves the key, not its powers.
    const { $metadata } = await sts.send(new GetCallerIdentityCommand({}), { abortSignal: ctx.signal });
    ctx.receipt($metadata.requestId);
    return 'accepted';
  } catch (error) {
    const name = error instanceof Error ? error.name : '';
    if (name.startsWith('InvalidClientTokenId')) return 'refused';
    if (name.startsWith('SignatureDoesNotMatch')) return 'not-its-secret';
    throw failureOf(error, 'sts:GetCallerIdentity', ctx.signal);
  } finally {
    sts.destroy();
  }
}

/** Whether a new key can do its work: it is active, and nothing denies its user everything. */
export const newKeyLive = op.observe({
  title: 'Check that the new access key works',
  permissions: ['iam:ListAccessKeys', 'iam:GetUserPolicy'],
  docs: 'https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html',
  bucket: 'iam',
  input: keyInput,
  run: async (ctx, { id, where }): Promise<Liveness> => {
    const listed = fromStatus(await keyStatus(ctx, where, id));
    if (listed.state !== 'live') return listed;
    return isDenyAll(await userPolicy(ctx, where, DENY_ALL_NAME).read())
      ? { state: 'dead', because: `the key is Active, but ${DENY_ALL_NAME} still denies its user everything` }
      : { state: 'live', because: 'the key is Active and nothing of ours denies its user everything' };
  },
});

/**
 * Whether the user of a leaked key can do nothing: its deny is in place, or the user is gone. A dead key alone does not stop the
 * sessions that were opened with it.
 */
export const userDenied = op.observe({
  title: 'Check that the user is denied everything',
  permissions: ['iam:GetUserPolicy', 'iam:ListAccessKeys'],
  docs: 'https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUserPolicy.html',
  bucket: 'iam',
  input: keyInput,
  run: async (ctx, { where }): Promise<Liveness> => {
    if (isDenyAll(await userPolicy(ctx, where, DENY_ALL_NAME).read()))
      return { state: 'dead', because: `${DENY_ALL_NAME} denies ${where.user} everything` };
    return (await listKeys(ctx, where)) === null
      ? { state: 'dead', because: `user ${where.user} is gone` }
      : { state: 'live', because: `${where.user} has no policy ${DENY_ALL_NAME}` };
  },
});
