import { GetRoleCommand } from '@aws-sdk/client-iam';
import { z } from 'zod';
import { type Ctx, Failure, type Liveness, operations } from '#tourniquet';
import { type Aws, call } from '../client.ts';
import { ifThere } from '../errors.ts';
import { restore, rolePolicy } from '../inline-policy.ts';
import { type RoleWhere, roleInput } from '../kinds.ts';
import { deniesIssuedBefore, denyIssuedBeforeText, REVOKE_SESSIONS_NAME } from '../policy-text.ts';

const op = operations<Aws>();

/** What AWS says of a role; null when it is gone. */
export async function readRole(ctx: Ctx<Aws>, { account, role }: RoleWhere) {
  const iam = (await ctx.client.contain(ctx, { account })).iam();
  const found = await ifThere(
    call(ctx, 'iam:GetRole', (options) => iam.send(new GetRoleCommand({ RoleName: role }), options)),
  );
  if (!found?.Role) return null;
  const { Arn, Path, RoleLastUsed } = found.Role;
  return { arn: Arn ?? '', path: Path ?? '/', lastUsedAt: RoleLastUsed?.LastUsedDate?.toISOString() ?? null };
}

/** Denies every session of the role that was issued before now (`since`); sessions issued later work. Hits all its users. */
export const revokeRoleSessions = op.reversible({
  title: 'Revoke the role’s sessions from before now',
  permissions: ['iam:GetRole', 'iam:GetRolePolicy', 'iam:PutRolePolicy', 'iam:DeleteRolePolicy'],
  docs: 'https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html',
  bucket: 'iam',
  input: roleInput,
  before: async (ctx, { where }) => {
    const role = await readRole(ctx, where);
    if (role?.path.startsWith('/aws-service-role/'))
      throw new Failure(
        'invalid',
        `${where.role} is a service-linked role: AWS lets no one change it. Its sessions belong to an AWS service; contain what configures that service.`,
      );
    return { at: ctx.now().toISOString(), policy: await rolePolicy(ctx, where, REVOKE_SESSIONS_NAME).read() };
  },
  run: async (ctx, { where }) => {
    const since = ctx.now();
    await ifThere(rolePolicy(ctx, where, REVOKE_SESSIONS_NAME).write(denyIssuedBeforeText(since)));
    return { since: since.toISOString() };
  },
  probe: async (ctx, { where }, { at }) => {
    const since = deniesIssuedBefore(await rolePolicy(ctx, where, REVOKE_SESSIONS_NAME).read());
    if (since === null || since < new Date(at)) return { state: 'not-done' };
    return { state: 'done', out: { since: since.toISOString() } };
  },
  undo: async (ctx, { where }, { policy }) => restore(rolePolicy(ctx, where, REVOKE_SESSIONS_NAME), policy),
});

/**
 * Whether sessions of the role from before `since` are denied; without it, whether any older ones are. A deny that an earlier
 * incident left behind proves nothing about this one. What AWS offers no way to ask is the session itself.
 */
export const sessionLiveness = op.observe({
  title: 'Check that the role’s older sessions are denied',
  permissions: ['iam:GetRole', 'iam:GetRolePolicy'],
  docs: 'https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html',
  bucket: 'iam',
  input: roleInput.extend({ since: z.string().optional() }),
  run: async (ctx, { where, since }): Promise<Liveness> => {
    if ((await readRole(ctx, where)) === null) return { state: 'dead', because: `role ${where.role} is gone` };
    const denied = deniesIssuedBefore(await rolePolicy(ctx, where, REVOKE_SESSIONS_NAME).read());
    if (denied === null) return { state: 'live', because: `role ${where.role} has no ${REVOKE_SESSIONS_NAME} policy` };
    const because = `sessions issued before ${denied.toISOString()} are denied everything`;
    if (since !== undefined && denied < new Date(since))
      return { state: 'live', because: `only ${because}, and that was an earlier incident` };
    return { state: 'dead', because };
  },
});

/** Records the role as it is: evidence before it is changed. */
export const roleFacts = op.observe({
  title: 'Read the role',
  permissions: ['iam:GetRole'],
  docs: 'https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html',
  bucket: 'iam',
  input: roleInput,
  run: async (ctx, { where }) => {
    const role = await readRole(ctx, where);
    if (role === null) throw new Failure('missing', `AWS account ${where.account} has no role ${where.role}.`);
    return role;
  },
});
