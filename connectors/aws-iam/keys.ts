import {
  type AccessKeyMetadata,
  GetAccessKeyLastUsedCommand,
  ListAccessKeysCommand,
  UpdateAccessKeyCommand,
} from '@aws-sdk/client-iam';
import type { Ctx } from '#tourniquet';
import { type Aws, call } from './client.ts';
import { ifThere } from './errors.ts';
import type { UserWhere } from './kinds.ts';

/** One access key as IAM lists it; never its secret, which IAM itself does not have. */
export interface ListedKey {
  readonly id: string;
  /** `Active`, `Inactive` or `Expired`. */
  readonly status: string;
  readonly createdAt: string;
}

/** The keys of a user, at most two; null when there is no such user. */
export async function listKeys(ctx: Ctx<Aws>, { account, user }: UserWhere): Promise<readonly ListedKey[] | null> {
  const iam = (await ctx.client.contain(ctx, { account })).iam();
  const found = await ifThere(
    call(ctx, 'iam:ListAccessKeys', (options) => iam.send(new ListAccessKeysCommand({ UserName: user }), options)),
  );
  return found ? (found.AccessKeyMetadata ?? []).map(listed) : null;
}

const listed = ({ AccessKeyId, Status, CreateDate }: AccessKeyMetadata): ListedKey => ({
  id: AccessKeyId ?? '',
  status: Status ?? 'unknown',
  createdAt: CreateDate?.toISOString() ?? '',
});

/** The status of one key; null when it, or its user, is gone. */
export async function keyStatus(ctx: Ctx<Aws>, where: UserWhere, id: string): Promise<string | null> {
  const keys = await listKeys(ctx, where);
  return keys?.find((key) => key.id === id)?.status ?? null;
}

/** Throws Failure `missing` when the key, or its user, is gone. */
export async function setKeyStatus(
  ctx: Ctx<Aws>,
  { account, user }: UserWhere,
  id: string,
  status: 'Active' | 'Inactive',
): Promise<void> {
  const iam = (await ctx.client.contain(ctx, { account })).iam();
  // Without UserName, IAM would look for the key under the bot's own user.
  const command = new UpdateAccessKeyCommand({ UserName: user, AccessKeyId: id, Status: status });
  await call(ctx, 'iam:UpdateAccessKey', (options) => iam.send(command, options));
}

/** When and where a key was last used, as IAM remembers it; `user` is whose it is. */
export interface LastUse {
  readonly user: string | null;
  readonly at: string | null;
  readonly service: string | null;
  readonly region: string | null;
}

/** Throws Failure `missing` when AWS does not know the key. */
export async function lastUse(ctx: Ctx<Aws>, account: string, id: string): Promise<LastUse> {
  const iam = (await ctx.client.contain(ctx, { account })).iam();
  const { UserName, AccessKeyLastUsed } = await call(ctx, 'iam:GetAccessKeyLastUsed', (options) =>
    iam.send(new GetAccessKeyLastUsedCommand({ AccessKeyId: id }), options),
  );
  return {
    user: UserName ?? null,
    at: AccessKeyLastUsed?.LastUsedDate?.toISOString() ?? null,
    service: used(AccessKeyLastUsed?.ServiceName),
    region: used(AccessKeyLastUsed?.Region),
  };
}

/** IAM writes `N/A` for a key that was never used. */
const used = (text: string | undefined): string | null => (text === undefined || text === 'N/A' ? null : text);
