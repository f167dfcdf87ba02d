import { z } from 'zod';

/** Denies the user everything, also what its sessions and federated sessions do; needs no condition to be sure. */
export const DENY_ALL_NAME = 'TourniquetDenyAll';
/** What is left of it once a new key must work: sessions from before the replacement stay denied. */
export const DENY_OLD_SESSIONS_NAME = 'TourniquetDenyOldSessions';
/** The name that the AWS console itself uses for "Revoke active sessions", so people recognise it. */
export const REVOKE_SESSIONS_NAME = 'AWSRevokeOlderSessions';

const denying = (sid: string, condition: object): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Sid: sid, Effect: 'Deny', Action: ['*'], Resource: ['*'], ...condition }],
  });

export const denyAllText = (): string => denying('TourniquetDenyAll', {});

/**
 * Denies sessions issued before `date`. A request signed with a long-term key carries no aws:TokenIssueTime, and DateLessThan
 * does not match a key that is absent, so the user's own keys are left alone.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html
 */
export const denyIssuedBeforeText = (date: Date): string =>
  denying('TourniquetDenyOlderSessions', { Condition: { DateLessThan: { 'aws:TokenIssueTime': date.toISOString() } } });

const everything = z.union([z.literal('*'), z.tuple([z.literal('*')])]);
const statement = z.strictObject({
  Sid: z.string().optional(),
  Effect: z.literal('Deny'),
  Action: everything,
  Resource: everything,
});
const one = <T>(shape: z.ZodType<T>) =>
  z.object({ Statement: z.union([z.tuple([shape]), shape.transform((s): [T] => [s])]) });
const denyAll = one(statement);
const denyIssuedBefore = one(
  statement.extend({
    Condition: z.strictObject({ DateLessThan: z.strictObject({ 'aws:TokenIssueTime': z.string() }) }),
  }),
);

/** Whether a policy is nothing but an unconditional deny of everything. */
export const isDenyAll = (text: string | null): boolean => denyAll.safeParse(parsed(text)).success;

/** The date before which a policy denies every session; null when it does not. */
export function deniesIssuedBefore(text: string | null): Date | null {
  const read = denyIssuedBefore.safeParse(parsed(text));
  const date = read.success ? new Date(read.data.Statement[0].Condition.DateLessThan['aws:TokenIssueTime']) : null;
  return date && !Number.isNaN(date.getTime()) ? date : null;
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return null; // someone else's text, which is not one of ours
  }
}
