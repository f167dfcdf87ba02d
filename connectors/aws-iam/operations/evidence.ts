import {
  ListAttachedGroupPoliciesCommand,
  ListAttachedUserPoliciesCommand,
  ListGroupPoliciesCommand,
  ListGroupsForUserCommand,
  ListUserPoliciesCommand,
} from '@aws-sdk/client-iam';
import { type Ctx, Failure, operations } from '#tourniquet';
import { type Aws, call } from '../client.ts';
import { lastUse, listKeys } from '../keys.ts';
import { keyInput, type UserWhere } from '../kinds.ts';

const op = operations<Aws>();

/** Where and when the key was last used. Read it before anything that uses the key, which overwrites it. */
export const lastUsed = op.observe({
  title: 'Record the key’s last use',
  permissions: ['iam:GetAccessKeyLastUsed'],
  docs: 'https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccessKeyLastUsed.html',
  bucket: 'iam',
  input: keyInput,
  run: async (ctx, { id, where }) => ({ ...(await lastUse(ctx, where.account, id)) }),
});

export const keysOf = op.observe({
  title: 'List the user’s access keys',
  permissions: ['iam:ListAccessKeys'],
  docs: 'https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html',
  bucket: 'iam',
  input: keyInput,
  run: async (ctx, { where }) => {
    const keys = await listKeys(ctx, where);
    if (keys === null) throw new Failure('missing', `AWS account ${where.account} has no user ${where.user}.`);
    return { keys: keys.map((key) => ({ ...key })) };
  },
});

/** IAM allows far fewer per user, so this never hides one; it keeps an entry of the ledger small if that changes. */
const MOST = 50;

/** The names of every policy that gives the user powers: attached, inline, and through its groups. */
export const permissions = op.observe({
  title: 'Read what the user may do',
  permissions: [
    'iam:ListAttachedUserPolicies',
    'iam:ListUserPolicies',
    'iam:ListGroupsForUser',
    'iam:ListAttachedGroupPolicies',
    'iam:ListGroupPolicies',
  ],
  docs: 'https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedUserPolicies.html',
  bucket: 'iam',
  input: keyInput,
  run: async (ctx, { where }) => {
    const { attached, inline, groups } = await policiesOf(ctx, where);
    const all = [...attached, ...groups.flatMap((group) => group.attached)];
    return {
      attached,
      inline,
      groups,
      administrator: all.includes('AdministratorAccess'),
      canChangeIam: all.some((name) => /^(AdministratorAccess|IAMFullAccess)$/.test(name)),
      quarantinedByAws: all.some((name) => name.startsWith('AWSCompromisedKeyQuarantine')),
    };
  },
});

async function policiesOf(ctx: Ctx<Aws>, { account, user }: UserWhere) {
  const iam = (await ctx.client.contain(ctx, { account })).iam();
  const UserName = user;
  const attached = await call(ctx, 'iam:ListAttachedUserPolicies', (options) =>
    iam.send(new ListAttachedUserPoliciesCommand({ UserName }), options),
  );
  const inline = await call(ctx, 'iam:ListUserPolicies', (options) =>
    iam.send(new ListUserPoliciesCommand({ UserName }), options),
  );
  const { Groups } = await call(ctx, 'iam:ListGroupsForUser', (options) =>
    iam.send(new ListGroupsForUserCommand({ UserName }), options),
  );
  const groups = [];
  for (const { GroupName } of Groups ?? []) {
    if (GroupName === undefined) continue;
    const ofGroup = await call(ctx, 'iam:ListAttachedGroupPolicies', (options) =>
      iam.send(new ListAttachedGroupPoliciesCommand({ GroupName }), options),
    );
    const inlineOfGroup = await call(ctx, 'iam:ListGroupPolicies', (options) =>
      iam.send(new ListGroupPoliciesCommand({ GroupName }), options),
    );
    groups.push({
      group: GroupName,
      attached: names(ofGroup.AttachedPolicies),
      inline: (inlineOfGroup.PolicyNames ?? []).slice(0, MOST),
    });
  }
  return { attached: names(attached.AttachedPolicies), inline: (inline.PolicyNames ?? []).slice(0, MOST), groups };
}

const names = (policies: readonly { readonly PolicyName?: string | undefined }[] | undefined): readonly string[] =>
  (policies ?? []).flatMap(({ PolicyName }) => (PolicyName === undefined ? [] : [PolicyName])).slice(0, MOST);
