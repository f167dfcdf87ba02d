import { setTimeout } from 'node:timers/promises';
import { type Event, type LookupAttributeKey, LookupEventsCommand } from '@aws-sdk/client-cloudtrail';
import { z } from 'zod';
import type { Ctx } from '#tourniquet';
import { type Aws, call } from './client.ts';
import { failureOf } from './errors.ts';

const PERMISSION = 'cloudtrail:LookupEvents';
const said = z.string().optional().catch(undefined);

/** The parts of a CloudTrail record that we look at. Nothing else is taken: `responseElements` can hold session tokens. */
const record = z.object({
  eventTime: z.string(),
  eventName: z.string(),
  eventSource: said,
  awsRegion: said,
  sourceIPAddress: said,
  userAgent: said,
  errorCode: said,
  userIdentity: z
    .object({
      type: said,
      accountId: said,
      userName: said,
      accessKeyId: said,
      sessionContext: z.object({ sessionIssuer: z.object({ type: said, arn: said, accountId: said, userName: said }) }),
    })
    .partial()
    .optional()
    .catch(undefined),
  requestParameters: z.object({ roleArn: said }).optional().catch(undefined),
  responseElements: z
    .object({ credentials: z.object({ accessKeyId: said }) })
    .optional()
    .catch(undefined),
});
export type TrailRecord = z.output<typeof record>;

/** Newest first. `complete` is false when there were more events than we read. */
export interface Trail {
  readonly records: readonly TrailRecord[];
  readonly complete: boolean;
}

export interface TrailQuery {
  readonly account: string;
  readonly by: LookupAttributeKey;
  readonly value: string;
  readonly since: Date;
  /** Of at most 50 events each; CloudTrail answers two a second. */
  readonly pages: number;
}

/**
 * Looks up management events of the last 90 days: in the bot's region, and where the events of global services are, STS's
 * global endpoint among them. They arrive some minutes late.
 * https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
 */
export async function lookUp(ctx: Ctx<Aws>, query: TrailQuery): Promise<Trail> {
  const own = ctx.client.settings.AWS_REGION;
  const found = new Map<string, Event>();
  let complete = true;
  for (const region of new Set([own, globalRegion(own)])) {
    if (region !== own) await pace(ctx.signal);
    const { events, all } = await lookUpIn(ctx, region, query);
    for (const event of events) found.set(event.EventId ?? `${found.size}`, event);
    complete &&= all;
  }
  const records = [...found.values()].flatMap(recordOf);
  return { records: records.sort((a, b) => b.eventTime.localeCompare(a.eventTime)), complete };
}

/** Where a partition records what has no region. */
function globalRegion(region: string): string {
  if (region.startsWith('cn-')) return 'cn-north-1';
  return region.startsWith('us-gov-') ? 'us-gov-west-1' : 'us-east-1';
}

async function lookUpIn(ctx: Ctx<Aws>, region: string, { account, by, value, since, pages }: TrailQuery) {
  const trail = (await ctx.client.contain(ctx, { account, region })).trail();
  const events: Event[] = [];
  let next: string | undefined;
  for (let page = 0; page < pages; page += 1) {
    if (page > 0) await pace(ctx.signal);
    const command = new LookupEventsCommand({
      LookupAttributes: [{ AttributeKey: by, AttributeValue: value }],
      StartTime: since,
      EndTime: ctx.now(),
      MaxResults: 50,
      ...(next === undefined ? {} : { NextToken: next }),
    });
    const answer = await call(ctx, PERMISSION, (options) => trail.send(command, options));
    events.push(...(answer.Events ?? []));
    next = answer.NextToken;
    if (next === undefined) break;
  }
  return { events, all: next === undefined };
}

/** Keeps several look-ups of one operation under CloudTrail's two a second. */
export async function pace(signal: AbortSignal): Promise<void> {
  try {
    await setTimeout(550, undefined, { signal });
  } catch (error) {
    throw failureOf(error, PERMISSION, signal);
  }
}

function recordOf({ CloudTrailEvent }: Event): TrailRecord[] {
  try {
    const read = record.safeParse(JSON.parse(CloudTrailEvent ?? 'null'));
    return read.success ? [read.data] : [];
  } catch {
    return []; // an event that is not JSON tells nothing; the rest still does
  }
}
