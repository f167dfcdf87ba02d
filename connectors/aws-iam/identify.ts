import { GetAccessKeyInfoCommand } from '@aws-sdk/client-sts';
import { type Clue, type Ctx, Failure, type Identified } from '#tourniquet';
import { readAccessKeyId } from './access-key-id.ts';
import { type Aws, call } from './client.ts';
import { ifThere } from './errors.ts';
import { keyStatus, lastUse } from './keys.ts';
import { roleWhere } from './kinds.ts';
import { readRole } from './operations/role-sessions.ts';
import { lookUp } from './trail.ts';

const unknown = (because: string): Identified => ({ is: 'unknown', because });
const notOurs = (because: string): Identified => ({ is: 'not-ours', because });

/** Whose access key it is. Never uses the key: that would overwrite its last use, and trip a honeytoken. */
export async function identifyAccessKey(ctx: Ctx<Aws>, clue: Clue): Promise<Identified> {
  const id = clue.id ?? '';
  const read = readAccessKeyId(id);
  if (!read) return unknown('This is not an AWS access key id: those are AKIA or ASIA and 16 of A-Z and 2-7.');
  if (read.prefix === 'ASIA') return { is: 'clue', clue: { kind: 'aws.role-session', id } };
  const account = read.account ?? (await askAccount(ctx, id));
  if (!(await ctx.client.accounts(ctx)).includes(account))
    return notOurs(`The key belongs to AWS account ${account}, which is not one of ours.`);
  const use = await ifThere(lastUse(ctx, account, id));
  if (!use) return notOurs(`AWS account ${account} does not know the key: it was deleted, or was never real.`);
  if (use.user === null || use.user === '<root_account>')
    return unknown(
      `The key is not an IAM user’s, so it may be the root key of account ${account}. Only its owner can act: sign in as root and delete it.`,
    );
  const where = { account, user: use.user };
  const status = await keyStatus(ctx, where, id);
  if (status === null) return { is: 'dead', because: `User ${use.user} no longer has the key.` };
  return {
    is: 'credential',
    credential: { kind: 'aws.access-key', id, where },
    validity: status === 'Active' ? 'active' : 'inactive',
  };
}

/** For ids from before the account was part of them. Works without any permission, on any key. */
async function askAccount(ctx: Ctx<Aws>, id: string): Promise<string> {
  const sts = (await ctx.client.contain(ctx)).sts();
  const { Account } = await call(ctx, 'sts:GetAccessKeyInfo', (options) =>
    sts.send(new GetAccessKeyInfoCommand({ AccessKeyId: id }), options),
  );
  if (!Account) throw new Failure('garbled', 'AWS did not say which account the key belongs to.');
  return Account;
}

/** Whose session it is: named by the alert, or found in CloudTrail by its key id. */
export async function identifyRoleSession(ctx: Ctx<Aws>, clue: Clue): Promise<Identified> {
  const id = clue.id ?? '';
  const read = readAccessKeyId(id);
  if (read?.prefix !== 'ASIA') return unknown('A session’s key id starts with ASIA and has 16 more of A-Z and 2-7.');
  const named = roleWhere.safeParse(clue.where);
  const found = named.success ? named.data : await issuerOf(ctx, id, read.account);
  if ('is' in found) return found;
  if (!(await ctx.client.accounts(ctx)).includes(found.account))
    return notOurs(`The session belongs to AWS account ${found.account}, which is not one of ours.`);
  const role = await readRole(ctx, found);
  if (!role) return notOurs(`AWS account ${found.account} has no role ${found.role}.`);
  return { is: 'credential', credential: { kind: 'aws.role-session', id, where: { ...found } } };
}

async function issuerOf(ctx: Ctx<Aws>, id: string, account: string | null) {
  if (account === null || !(await ctx.client.accounts(ctx)).includes(account))
    return notOurs(`The session belongs to AWS account ${account ?? 'unknown'}, which is not one of ours.`);
  const since = new Date(ctx.now().getTime() - 90 * 86_400_000);
  const trail = await lookUp(ctx, { account, by: 'AccessKeyId', value: id, since, pages: 1 });
  const identity = trail.records.find(({ userIdentity }) => userIdentity !== undefined)?.userIdentity;
  const issuer = identity?.sessionContext?.sessionIssuer;
  if (issuer?.type === 'Role' && issuer.userName)
    return { account: issuer.accountId ?? account, role: issuer.userName };
  if (identity?.userName)
    return unknown(
      `It is a session of user ${identity.userName}, not of a role: respond to the access key of that user.`,
    );
  return unknown(
    'CloudTrail has no event of this session yet, so its role is not known. Events arrive some minutes late.',
  );
}
