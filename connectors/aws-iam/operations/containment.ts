import { Failure, operations } from '#tourniquet';
import type { Aws } from '../client.ts';
import { ifThere } from '../errors.ts';
import { restore, userPolicy } from '../inline-policy.ts';
import { keyStatus, setKeyStatus } from '../keys.ts';
import { keyInput, userInput } from '../kinds.ts';
import {
  DENY_ALL_NAME,
  DENY_OLD_SESSIONS_NAME,
  deniesIssuedBefore,
  denyAllText,
  denyIssuedBeforeText,
  isDenyAll,
} from '../policy-text.ts';

const op = operations<Aws>();

/** Denies the key's user everything: also the sessions that the key opened, which outlive the key. */
export const denyAll = op.reversible({
  title: 'Deny the user everything',
  permissions: ['iam:GetUserPolicy', 'iam:PutUserPolicy', 'iam:DeleteUserPolicy'],
  docs: 'https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutUserPolicy.html',
  bucket: 'iam',
  input: keyInput,
  before: async (ctx, { where }) => ({ policy: await userPolicy(ctx, where, DENY_ALL_NAME).read() }),
  run: async (ctx, { where }) => {
    await ifThere(userPolicy(ctx, where, DENY_ALL_NAME).write(denyAllText()));
    return null;
  },
  probe: async (ctx, { where }) =>
    isDenyAll(await userPolicy(ctx, where, DENY_ALL_NAME).read())
      ? { state: 'done', out: null }
      : { state: 'not-done' },
  undo: async (ctx, { where }, { policy }) => restore(userPolicy(ctx, where, DENY_ALL_NAME), policy),
});

/**
 * Replaces the deny of everything by one that only old sessions meet, so that a new key of the same user works. The narrow
 * deny is written before the wide one goes: at no moment is neither there.
 */
export const narrowDeny = op.reversible({
  title: 'Deny only the sessions from before now',
  permissions: ['iam:GetUserPolicy', 'iam:PutUserPolicy', 'iam:DeleteUserPolicy'],
  docs: 'https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html',
  bucket: 'iam',
  input: userInput,
  before: async (ctx, { where }) => ({
    at: ctx.now().toISOString(),
    wide: await userPolicy(ctx, where, DENY_ALL_NAME).read(),
    narrow: await userPolicy(ctx, where, DENY_OLD_SESSIONS_NAME).read(),
  }),
  run: async (ctx, { where }) => {
    await userPolicy(ctx, where, DENY_OLD_SESSIONS_NAME).write(denyIssuedBeforeText(ctx.now()));
    await userPolicy(ctx, where, DENY_ALL_NAME).remove();
    return null;
  },
  probe: async (ctx, { where }, { at }) => {
    const since = deniesIssuedBefore(await userPolicy(ctx, where, DENY_OLD_SESSIONS_NAME).read());
    const wide = await userPolicy(ctx, where, DENY_ALL_NAME).read();
    return since !== null && since >= new Date(at) && wide === null
      ? { state: 'done', out: null }
      : { state: 'not-done' };
  },
  undo: async (ctx, { where }, { wide, narrow }) => {
    await restore(userPolicy(ctx, where, DENY_ALL_NAME), wide);
    await restore(userPolicy(ctx, where, DENY_OLD_SESSIONS_NAME), narrow);
  },
});

/** Makes the key inactive. It stays in the list and can be made active again. */
export const disableKey = op.reversible({
  title: 'Disable the access key',
  permissions: ['iam:ListAccessKeys', 'iam:UpdateAccessKey'],
  docs: 'https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html',
  bucket: 'iam',
  input: keyInput,
  before: async (ctx, { id, where }) => ({ status: await keyStatus(ctx, where, id) }),
  run: async (ctx, { id, where }) => {
    await ifThere(setKeyStatus(ctx, where, id, 'Inactive'));
    return null;
  },
  probe: async (ctx, { id, where }) =>
    (await keyStatus(ctx, where, id)) === 'Active' ? { state: 'not-done' } : { state: 'done', out: null },
  undo: async (ctx, { id, where }, { status }) => {
    if (status !== 'Active') return;
    try {
      await setKeyStatus(ctx, where, id, 'Active');
    } catch (error) {
      if (error instanceof Failure && error.code === 'missing')
        throw new Failure('missing', `Key ${id} was deleted since, so it cannot be enabled again. Issue a new one.`);
      throw error;
    }
  },
});
