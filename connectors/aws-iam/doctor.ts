import { SimulatePrincipalPolicyCommand } from '@aws-sdk/client-iam';
import { type Ctx, type DoctorCheck, Failure } from '#tourniquet';
import { type Aws, type Capacity, call, type Identity } from './client.ts';
import { type Needs, permissionsFor } from './policies.ts';

/** Powers that turn a bot that contains into one that can be used to take over the account. */
const TOO_MUCH = ['iam:CreateUser', 'iam:AttachUserPolicy', 'iam:AttachRolePolicy', 'iam:PassRole', 'iam:CreateRole'];

/** Who the bot is to AWS, and what it may do that it needs, or should not. Reads only. */
export async function doctor(ctx: Ctx<Aws>, operations: Needs): Promise<readonly DoctorCheck[]> {
  const own = await whoAmI(ctx);
  if ('state' in own) return [own];
  const { arn, account } = own;
  return [
    { name: 'identity', state: 'ok', detail: arn },
    await keyCheck(ctx),
    roleCheck(ctx, 'contain', account),
    roleCheck(ctx, 'change', account),
    ...(await permissionChecks(ctx, 'contain', operations, arn, account)),
    ...(await permissionChecks(ctx, 'change', operations, arn, account)),
  ];
}

async function whoAmI(ctx: Ctx<Aws>): Promise<Identity | DoctorCheck> {
  try {
    return await ctx.client.identity(ctx);
  } catch (error) {
    if (error instanceof Failure) return { name: 'identity', state: 'missing', detail: error.message };
    throw error;
  }
}

async function keyCheck(ctx: Ctx<Aws>): Promise<DoctorCheck> {
  return (await ctx.client.livesOnLongTermKey(ctx))
    ? {
        name: 'own credentials',
        state: 'warning',
        detail: 'The bot lives on a long-lived access key, the kind that it revokes. Run it with a role instead.',
      }
    : { name: 'own credentials', state: 'ok', detail: 'temporary' };
}

function roleCheck(ctx: Ctx<Aws>, capacity: Capacity, account: string): DoctorCheck {
  const role = ctx.client.roleFor(capacity, account);
  const name = `role to ${capacity}`;
  if (role !== undefined) return { name, state: 'ok', detail: role };
  const setting = `TOURNIQUET_AWS_${capacity.toUpperCase()}_ROLE_ARN`;
  return {
    name,
    state: 'warning',
    detail: `${setting} is not set, so the bot acts as itself${capacity === 'change' ? ' and holds the power to delete keys all the time' : ''}.`,
  };
}

async function permissionChecks(
  ctx: Ctx<Aws>,
  capacity: Capacity,
  operations: Needs,
  own: string,
  account: string,
): Promise<readonly DoctorCheck[]> {
  const needed = permissionsFor(capacity, operations);
  const source = ctx.client.roleFor(capacity, account) ?? principalOf(own);
  const allowed = await simulate(ctx, account, source, [...needed, ...TOO_MUCH]);
  if (typeof allowed === 'string') return [{ name: `permissions to ${capacity}`, state: 'unknown', detail: allowed }];
  return [
    ...needed.map(
      (name): DoctorCheck =>
        allowed.has(name)
          ? { name, state: 'ok', detail: `to ${capacity}` }
          : { name, state: 'missing', detail: `Allow it for ${source}, which needs it to ${capacity}.` },
    ),
    ...TOO_MUCH.filter((name) => allowed.has(name)).map(
      (name): DoctorCheck => ({ name, state: 'too-much', detail: `${source} may do this and must not need it.` }),
    ),
  ];
}

/** The allowed ones of `actions`; or why that cannot be said. */
async function simulate(
  ctx: Ctx<Aws>,
  account: string,
  source: string,
  actions: readonly string[],
): Promise<ReadonlySet<string> | string> {
  try {
    const iam = (await ctx.client.contain(ctx, { account })).iam();
    const command = new SimulatePrincipalPolicyCommand({ PolicySourceArn: source, ActionNames: [...actions] });
    const { EvaluationResults } = await call(ctx, 'iam:SimulatePrincipalPolicy', (options) =>
      iam.send(command, options),
    );
    const allowed = (EvaluationResults ?? []).filter(({ EvalDecision }) => EvalDecision === 'allowed');
    return new Set(allowed.flatMap(({ EvalActionName }) => EvalActionName ?? []));
  } catch (error) {
    if (error instanceof Failure) return error.message;
    throw error;
  }
}

/** The role behind a session's ARN; a user's ARN is itself. A role's path is not part of it, and cannot be told. */
function principalOf(arn: string): string {
  const [, partition, account, role] = /^arn:([^:]+):sts::(\d+):assumed-role\/([^/]+)\//.exec(arn) ?? [];
  return role === undefined ? arn : `arn:${partition}:iam::${account}:role/${role}`;
}
