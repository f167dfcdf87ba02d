import { z } from 'zod';
import { type Ctx, type Duration, isDuration, type Liveness, milliseconds, operations } from '#tourniquet';
import type { Aws } from '../client.ts';
import { lookUp, pace, type Trail } from '../trail.ts';

const op = operations<Aws>();
const DAY_MS = 86_400_000;
/** CloudTrail keeps 90 days of events for LookupEvents. */
const KEPT_DAYS = 90;
const docs = 'https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html';
const permissions = ['cloudtrail:LookupEvents'];

/** Any credential with a key id in an account, a user's key and a role's session alike. */
const anyKey = z.object({ id: z.string(), where: z.looseObject({ account: z.string() }) });

/** What the key did of late, counted. An entry of the ledger holds the summary, not the events. */
export const recentActivity = op.observe({
  title: 'Look up what the key did',
  permissions,
  docs,
  bucket: 'trail',
  timeoutMs: 60_000,
  input: anyKey,
  run: async (ctx, { id, where }) => {
    const { records, complete } = await ofKey(ctx, where.account, id, KEPT_DAYS * DAY_MS);
    const times = records.map(({ eventTime }) => eventTime).sort();
    return {
      complete,
      events: records.length,
      first: times[0] ?? null,
      last: times.at(-1) ?? null,
      names: counted(records.map(({ eventName }) => eventName)),
      addresses: counted(records.map(({ sourceIPAddress }) => sourceIPAddress)),
      agents: counted(records.map(({ userAgent }) => userAgent?.slice(0, 120))),
      errors: counted(records.map(({ errorCode }) => errorCode)),
    };
  },
});

const MOST = 20;

/** The most frequent of `values`, with how often each was there. */
function counted(values: readonly (string | undefined)[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const value of values) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a).slice(0, MOST));
}

const ofKey = (ctx: Ctx<Aws>, account: string, id: string, spanMs: number, pages = 10): Promise<Trail> =>
  lookUp(ctx, { account, by: 'AccessKeyId', value: id, since: new Date(ctx.now().getTime() - spanMs), pages });

/** The longest that GetSessionToken and GetFederationToken sessions live, and longer than any role session. */
const LONGEST_SESSION_MS = 36 * 3_600_000;
/** A session can open a session; each is another look-up at two a second. */
const MOST_LOOKUPS = 8;

/**
 * What the key opened that can outlive it: the roles that it, or a session of it, assumed within the life of any session, and
 * how many federation sessions. `known: false` means that there was more than was read.
 */
export const sessionsOpened = op.observe({
  title: 'Find the roles and sessions that the key opened',
  permissions,
  docs,
  bucket: 'trail',
  timeoutMs: 60_000,
  input: anyKey,
  run: async (ctx, { id, where }) => {
    const roles = new Set<string>();
    const asked = new Set<string>();
    const toAsk = [id];
    let federationSessions = 0;
    let known = true;
    for (let key = toAsk.shift(); key !== undefined; key = toAsk.shift()) {
      if (asked.has(key)) continue;
      if (asked.size >= MOST_LOOKUPS) {
        known = false;
        break;
      }
      if (asked.size > 0) await pace(ctx.signal);
      asked.add(key);
      const trail = await ofKey(ctx, where.account, key, LONGEST_SESSION_MS, 5);
      known &&= trail.complete;
      for (const event of trail.records.filter(({ errorCode }) => errorCode === undefined)) {
        if (event.eventName === 'AssumeRole' && event.requestParameters?.roleArn)
          roles.add(event.requestParameters.roleArn);
        if (event.eventName === 'GetFederationToken') federationSessions += 1;
        const minted = event.responseElements?.credentials.accessKeyId;
        if (minted !== undefined) toAsk.push(minted);
      }
    }
    const all = [...roles].sort().map(roleOf);
    return {
      known,
      federationSessions,
      /** In the account of the key, where we can revoke their sessions. */
      roles: all.filter(({ account }) => account === where.account),
      /** In other accounts, whose owners must be told. */
      elsewhere: all.filter(({ account }) => account !== where.account),
    };
  },
});

const roleOf = (arn: string) => ({ account: arn.split(':')[4] ?? '', role: arn.split('/').at(-1) ?? '' });

/** Whether CloudTrail has been silent about the key for `span`; refused attempts are noise of a dead key, not life. */
export const quiet = op.observe({
  title: 'Check that the key has been silent',
  permissions,
  docs,
  bucket: 'trail',
  timeoutMs: 60_000,
  input: anyKey.extend({ span: z.custom<Duration>((text) => typeof text === 'string' && isDuration(text)) }),
  run: async (ctx, { id, where, span }): Promise<Liveness> => {
    const trail = await ofKey(ctx, where.account, id, milliseconds(span), 2);
    const succeeded = trail.records.filter(({ errorCode }) => errorCode === undefined);
    const newest = succeeded[0];
    if (newest) return { state: 'live', because: `CloudTrail shows ${newest.eventName} by it at ${newest.eventTime}` };
    return trail.complete
      ? {
          state: 'dead',
          because: `CloudTrail shows no successful call by it for ${span} (events arrive some minutes late)`,
        }
      : {
          state: 'unknown',
          because: 'so many of its calls were refused of late that CloudTrail could not be read to the end',
        };
  },
});
