import { z } from 'zod';
import { awsIam, roleSession } from '#connectors/aws-iam';
import { confirm, defineRunbook, duration, guided, ifPossible, otherwise, out, step } from '#tourniquet';

export const stolenAwsRoleSession = defineRunbook(roleSession, {
  name: 'stolen-aws-role-session',
  title: 'Someone else is using a session of an AWS role',
  params: z.object({
    /** How long CloudTrail must show nothing of the stolen session before the incident ends. */
    quietFor: duration.default('30m'),
  }),

  assess: (session) => ({
    role: ifPossible(step('Read the role as it is', awsIam.roleFacts, session)),
    activity: ifPossible(step('Look up what the session did', awsIam.recentActivity, session)),
    opened: otherwise(step('Find the roles that it went on to', awsIam.sessionsOpened, session), {
      known: false,
      federationSessions: 0,
      roles: [],
      elsewhere: [],
    }),
  }),

  // AWS cannot end one session. The role refuses everything issued before now, which hits all of its users: each of them gets
  // a new session, at the latest when its old one is refused, except those that cache credentials (see rotate).
  contain: (session, { opened }) => {
    const revoke = step(`Revoke the sessions of role ${session.where.role}`, awsIam.revokeRoleSessions, session);
    const further = opened.roles
      .filter(({ role }) => role !== session.where.role)
      .map((where) => ({
        where,
        revoke: step(`Revoke the sessions of role ${where.role}, which it assumed`, awsIam.revokeRoleSessions, {
          where,
        }),
      }));
    return {
      revoke,
      further: further.map((each) => each.revoke),
      denied: confirm(
        'Sessions from before now are denied',
        awsIam.sessionLiveness,
        { where: session.where, since: out(revoke, 'since') },
        { expect: 'dead', within: '5m', settle: '10s' },
      ),
      furtherDenied: further.map((each) =>
        confirm(
          `Older sessions of role ${each.where.role} are denied`,
          awsIam.sessionLiveness,
          { where: each.where, since: out(each.revoke, 'since') },
          { expect: 'dead', within: '5m', settle: '0s' }, // the one above has waited out AWS's propagation
        ),
      ),
    };
  },

  rotate: ({ where }, { opened }) => ({
    sessions: opened.known
      ? undefined
      : guided('Find out by hand what the session opened', {
          instructions:
            'CloudTrail could not be read to the end, so roles that this session went on to may still be in use. Look in CloudTrail for AssumeRole by its access key, and revoke the sessions of each role you find.',
          link: 'https://console.aws.amazon.com/cloudtrail/home#/events',
          asks: 'Which roles did you find, and what did you do about them?',
        }),
    elsewhere:
      opened.elsewhere.length === 0
        ? undefined
        : guided('Tell the owners of other accounts', {
            instructions: `The session assumed roles in other accounts, where the bot does not act: ${opened.elsewhere.map(({ account, role }) => `${role} in ${account}`).join(', ')}. Ask their owners to revoke the active sessions of these roles.`,
            asks: 'Who was told, and when were the sessions revoked?',
          }),
    renew: guided(`Give the rightful users of ${where.role} new sessions`, {
      instructions: `Everything that runs as ${where.role} must fetch new credentials. On EC2, replace the instance profile or stop and start the instance: a reboot keeps the cached credentials. Restart tasks and functions. If an instance leaked the session, isolate it first and keep its disk as evidence; require IMDSv2 on its replacement.`,
      link: 'https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_revoke-sessions.html',
      asks: 'Which instances, tasks or functions were renewed, and do they work?',
    }),
    trust: guided('Close the way in', {
      instructions: `Find out how the session was stolen. If the trust policy of ${where.role} lets in more than it must, narrow it.`,
      link: `https://console.aws.amazon.com/iam/home#/roles/details/${encodeURIComponent(where.role)}?section=trust_relationships`,
      asks: 'How was it stolen, and what was changed so that it cannot happen again?',
    }),
  }),

  retire: (session, _facts, { quietFor }, { contain }) => ({
    denied: confirm(
      'Sessions from before the incident are still denied',
      awsIam.sessionLiveness,
      { where: session.where, since: out(contain.revoke, 'since') },
      { expect: 'dead', within: '5m', settle: '10s' },
    ),
    quiet: confirm(
      `CloudTrail shows no successful call by the stolen session for ${quietFor}`,
      awsIam.quiet,
      { ...session, span: quietFor },
      { expect: 'dead', within: '12h', settle: '15m' },
    ),
  }),
});
