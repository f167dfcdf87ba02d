import { z } from 'zod';
import { accessKey, awsIam } from '#connectors/aws-iam';
import {
  confirm,
  type Duration,
  defineRunbook,
  duration,
  guided,
  ifPossible,
  otherwise,
  out,
  type SinkTarget,
  sink,
  step,
  unavoidable,
  wait,
} from '#tourniquet';

const params = z.object({
  /** Where the users of the key read it. Without one, a person makes the new key and stores it. */
  sink: sink.optional(),
  /** How long the disabled key is kept, so that whoever still needs it can speak up. */
  soak: duration.default('7d'),
  /** AWS takes a few seconds to mean what it answered: look again after this long before believing it. */
  settle: duration.default('10s'),
});

/** Sinks that can give back what they held; any other only takes. */
const GIVES_BACK = ['aws.secrets-manager'];

/** For what follows a confirmation that has waited out AWS's propagation already. */
const SETTLED = { expect: 'dead', within: '5m', settle: '0s' } as const;

export const leakedAwsAccessKey = defineRunbook(accessKey, {
  name: 'leaked-aws-access-key',
  title: 'An AWS access key is outside our control',
  params,

  assess: (key) => ({
    lastUsed: ifPossible(step('Record when and where the key was last used', awsIam.lastUsed, key)),
    permissions: ifPossible(step('Read what its user may do', awsIam.permissions, key)),
    keys: otherwise(step('List the keys of its user', awsIam.keysOf, key), { keys: [] }),
    activity: ifPossible(step('Look up what the key did', awsIam.recentActivity, key)),
    opened: otherwise(step('Find the roles and sessions that it opened', awsIam.sessionsOpened, key), {
      known: false,
      federationSessions: 0,
      roles: [],
      elsewhere: [],
    }),
  }),

  // Disabling a key leaves the sessions alive that were opened with it, for up to 36 hours. So the user is denied everything
  // first: that stops them at once, and an intruder's second key with them. Sessions of roles are not the user's: each role
  // that the key assumed is told to refuse what was issued before now.
  // What was asked is looked at again at the end: by then AWS has had the time that `settle` gives it.
  contain: (key, { opened }, { settle }) => {
    const revoked = opened.roles.map((where) => ({
      where,
      revoke: step(`Revoke the sessions of role ${where.role}`, awsIam.revokeRoleSessions, { where }),
    }));
    return {
      deny: step(`Deny user ${key.where.user} everything`, awsIam.denyAll, key),
      disable: step('Disable the key', awsIam.disableKey, key),
      roles: revoked.map(({ revoke }) => revoke),
      dead: confirm('The key no longer works', awsIam.liveness, key, { expect: 'dead', within: '5m', settle }),
      denied: confirm(`User ${key.where.user} is denied everything`, awsIam.userDenied, key, SETTLED),
      rolesDenied: revoked.map(({ where, revoke }) =>
        confirm(
          `Older sessions of role ${where.role} are denied`,
          awsIam.sessionLiveness,
          { where, since: out(revoke, 'since') },
          SETTLED,
        ),
      ),
    };
  },

  // The deny that stopped the sessions would stop the new key of the same user too, so it is narrowed to sessions from before
  // now. That narrow deny does not reach federation sessions: where the key opened some, they are first left to run out, and
  // where CloudTrail could not say, a person does.
  rotate: ({ id, where }, { keys, opened }, { sink, settle }) => ({
    otherKeys: keys.keys
      .filter((other) => other.id !== id)
      .map((other) =>
        guided(`Decide what becomes of the other key of ${where.user}`, {
          instructions: `The user also has key ${other.id} (${other.status}, made ${other.createdAt}). It will work again once the deny is narrowed. If none of you made it, the intruder did: delete it. AWS allows two keys for a user, so a new one fits only after one of them is deleted.`,
          link: keysPage(where.user),
          asks: 'Whose key is it, and was it kept or deleted?',
        }),
      ),
    sessions: opened.known
      ? undefined
      : guided('Find out by hand what the key opened', {
          instructions:
            'CloudTrail could not be read to the end, so roles and sessions that this key opened in the last 36 hours may still be in use. Look in CloudTrail for AssumeRole and GetFederationToken by this key. Revoke the sessions of each role you find. If you find GetFederationToken, wait 36 hours from its time before you go on.',
          link: 'https://console.aws.amazon.com/cloudtrail/home#/events',
          asks: 'Which roles and sessions did you find, and what did you do about them?',
        }),
    elsewhere:
      opened.elsewhere.length === 0
        ? undefined
        : guided('Tell the owners of other accounts', {
            instructions: `The key assumed roles in other accounts, where the bot does not act: ${opened.elsewhere.map(({ account, role }) => `${role} in ${account}`).join(', ')}. Ask their owners to revoke the active sessions of these roles.`,
            asks: 'Who was told, and when were the sessions revoked?',
          }),
    runOut:
      opened.federationSessions === 0
        ? undefined
        : wait('Let its federation sessions run out, under the deny of everything', '36h'),
    ...replacement(where, sink, settle),
  }),

  retire: (key, _facts, { soak, settle }) => ({
    soak: wait(`Keep the disabled key for ${soak}, in case something still needs it`, soak),
    stillDead: confirm('The key is still dead', awsIam.liveness, key, { expect: 'dead', within: '5m', settle }),
    delete: step('Delete the key for good', awsIam.deleteKey, key),
    gone: confirm('The key is gone', awsIam.liveness, key, { expect: 'dead', within: '5m', settle }),
  }),
});

const keysPage = (user: string): string =>
  `https://console.aws.amazon.com/iam/home#/users/details/${encodeURIComponent(user)}?section=security_credentials`;

/** A new key where its users look for it, and nothing of ours in its way. */
function replacement(
  where: { readonly account: string; readonly user: string },
  sink: SinkTarget | undefined,
  settle: Duration,
) {
  const narrow = step('Deny only the sessions from before now', awsIam.narrowDeny, { where });
  if (sink === undefined)
    return {
      narrow,
      issue: guided(`Make a new key for ${where.user} and store it`, {
        instructions: `Create an access key for user ${where.user} of account ${where.account} and put it where its users read it. Never send it by chat or mail. If a role can take its place, use that and make no key.`,
        link: keysPage(where.user),
        asks: 'What is its id (AKIA…, never the secret) and where is it stored, or what took its place?',
      }),
    };
  const issue = GIVES_BACK.includes(sink.kind)
    ? step('Issue a new key into its sink', awsIam.issueKey, { where, sink })
    : unavoidable(
        'this sink only takes: what it holds now is lost when the new key is written',
        step('Issue a new key into its sink', awsIam.issueKeyWriteOnly, { where, sink }),
      );
  return {
    issue,
    narrow,
    live: confirm(
      'The new key works',
      awsIam.newKeyLive,
      { where, id: out(issue, 'keyId') },
      { expect: 'live', within: '5m', settle },
    ),
  };
}
