import {
  DeleteRolePolicyCommand,
  DeleteUserPolicyCommand,
  GetRolePolicyCommand,
  GetUserPolicyCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import type { Ctx } from '#tourniquet';
import { type Aws, call } from './client.ts';
import { ifThere } from './errors.ts';
import type { RoleWhere, UserWhere } from './kinds.ts';

/** One named inline policy of a user or a role. */
export interface InlinePolicy {
  /** Its text; null when it, or its owner, is not there. */
  readonly read: () => Promise<string | null>;
  /** Throws Failure `missing` when the owner is not there. */
  readonly write: (text: string) => Promise<void>;
  /** Removes it; already gone is success. */
  readonly remove: () => Promise<void>;
}

export function userPolicy(ctx: Ctx<Aws>, { account, user }: UserWhere, name: string): InlinePolicy {
  const named = { UserName: user, PolicyName: name };
  const iam = async () => (await ctx.client.contain(ctx, { account })).iam();
  return {
    read: async () => {
      const client = await iam();
      const found = await ifThere(
        call(ctx, 'iam:GetUserPolicy', (options) => client.send(new GetUserPolicyCommand(named), options)),
      );
      return decoded(found?.PolicyDocument);
    },
    write: async (text) => {
      const client = await iam();
      const command = new PutUserPolicyCommand({ ...named, PolicyDocument: text });
      await call(ctx, 'iam:PutUserPolicy', (options) => client.send(command, options));
    },
    remove: async () => {
      const client = await iam();
      await ifThere(
        call(ctx, 'iam:DeleteUserPolicy', (options) => client.send(new DeleteUserPolicyCommand(named), options)),
      );
    },
  };
}

export function rolePolicy(ctx: Ctx<Aws>, { account, role }: RoleWhere, name: string): InlinePolicy {
  const named = { RoleName: role, PolicyName: name };
  const iam = async () => (await ctx.client.contain(ctx, { account })).iam();
  return {
    read: async () => {
      const client = await iam();
      const found = await ifThere(
        call(ctx, 'iam:GetRolePolicy', (options) => client.send(new GetRolePolicyCommand(named), options)),
      );
      return decoded(found?.PolicyDocument);
    },
    write: async (text) => {
      const client = await iam();
      const command = new PutRolePolicyCommand({ ...named, PolicyDocument: text });
      await call(ctx, 'iam:PutRolePolicy', (options) => client.send(command, options));
    },
    remove: async () => {
      const client = await iam();
      await ifThere(
        call(ctx, 'iam:DeleteRolePolicy', (options) => client.send(new DeleteRolePolicyCommand(named), options)),
      );
    },
  };
}

/** Makes `policy` what `text` says it was: that text, or absent. */
export const restore = (policy: InlinePolicy, text: string | null): Promise<void> =>
  text === null ? policy.remove() : policy.write(text);

/** IAM returns policy documents URL-encoded (RFC 3986). */
const decoded = (text: string | undefined): string | null => (text === undefined ? null : decodeURIComponent(text));
