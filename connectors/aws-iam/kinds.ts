import { z } from 'zod';
import { credentialKind, type SealedRef } from '#tourniquet';

const account = z.string().regex(/^\d{12}$/, 'an account id has 12 digits');

/** The user of an account, as IAM names it. */
export const userWhere = z.object({ account, user: z.string().min(1) });
export type UserWhere = z.output<typeof userWhere>;

/** A role of an account, by its name without path. */
export const roleWhere = z.object({ account, role: z.string().min(1) });
export type RoleWhere = z.output<typeof roleWhere>;

const sealed = z.custom<SealedRef>((value) => typeof value === 'string' && value.startsWith('sealed:'));

/** What operations on one access key take: a credential of kind `aws.access-key` fits as it is. */
export const keyInput = z.object({ id: z.string().min(1), where: userWhere });
export const keyInputWithSecret = keyInput.extend({ secret: sealed.optional() });
export const userInput = z.object({ where: userWhere });
export const roleInput = z.object({ where: roleWhere });

export const accessKey = credentialKind('aws.access-key', 'AWS access key', userWhere);
export const roleSession = credentialKind('aws.role-session', 'AWS role session', roleWhere);
