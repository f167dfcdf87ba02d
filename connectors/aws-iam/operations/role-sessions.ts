import { GetRoleCommand } from '@aws-sdk/client-iam';
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

/** Denies every session of the role that was issued before now; sessions issued later work. Hits all users of the role. */
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
    await ifThere(rolePolicy(ctx, where, REVOKE_SESSIONS_NAME).write(denyIssuedBeforeText(ctx.now())));
    return null;
  },
  probe: async (ctx, { where }, { at }) => {
    const since = deniesIssuedBefore(await rolePolicy(ctx, where, REVOKE_SESSIONS_NAME).read());
    return since !== null && since >= new Date(at) ? { state: 'done', out: null } : { state: 'not-done' };
  },
  undo: async (ctx, { where }, { policy }) => restore(rolePolicy(ctx, where, REVOKE_SESSIONS_NAME), policy),
});

/** Whether sessions of the role from before now are denied. What AWS offers no way to ask is the session itself. */
export const sessionLiveness = op.observe({
  title: 'Check that the role’s older sessions are denied',
  permissions: ['iam:GetRole', 'iam:GetRolePolicy'],
  docs: 'https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html',
  bucket: 'iam',
  input: roleInput,
  run: async (ctx, { where }): Promise<Liveness> => {
    if ((await readRole(ctx, where)) === null) return { state: 'dead', because: `role ${where.role} is gone` };
    const since = deniesIssuedBefore(await rolePolicy(ctx, where, REVOKE_SESSIONS_NAME).read());
    return since
      ? { state: 'dead', because: `sessions issued before ${since.toISOString()} are denied everything` }
      : { state: 'live', because: `role ${where.role} has no ${REVOKE_SESSIONS_NAME} policy` };
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
