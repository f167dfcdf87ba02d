import { z } from 'zod';
import type { Finding } from '../../core/finding.ts';
import { awsKeyIdIn } from '../patterns.ts';
import { shaped, text } from '../shape.ts';
import type { Parsed } from '../source.ts';
import type { EventBridgeEvent, EventParser } from './event-bridge.ts';

const CODE = 'AWS_RISK_CREDENTIALS_EXPOSED';

const entity = z.object({
  entityValue: z.string().max(2_048),
  additionalDetails: z.record(z.string().max(200), z.json()).optional(),
});
type Entity = z.infer<typeof entity>;

/** https://docs.aws.amazon.com/health/latest/ug/aws-health-events-eventbridge-schema.html */
const detail = z.object({
  eventArn: text(1_000),
  eventTypeCode: text(200),
  statusCode: z.string().max(100).optional(),
  affectedAccount: z.string().max(20).optional(),
  /** RFC 2822 here, unlike every other time on EventBridge. */
  startTime: z.string().max(100).optional(),
  eventDescription: z
    .array(z.object({ latestDescription: z.string().max(100_000).optional() }))
    .max(50)
    .optional(),
  affectedEntities: z.array(entity).max(1_000).optional(),
});
type Detail = z.infer<typeof detail>;

/** AWS found one of our access keys in public: `AWS_RISK_CREDENTIALS_EXPOSED` of AWS Health. */
export const awsHealth: EventParser = { source: 'aws.health', parse };

function parse(event: EventBridgeEvent): Parsed {
  const result = shaped(detail, event.detail);
  if (!result.ok) return result.invalid;
  const found = result.value;
  if (found.eventTypeCode !== CODE) {
    return {
      kind: 'nothing',
      because: `AWS Health events of the type ${found.eventTypeCode} are not about a credential.`,
    };
  }
  if (found.statusCode === 'closed') return { kind: 'nothing', because: 'AWS Health has closed this event.' };
  const exposed = keysOf(found);
  if (exposed.length > 0) return { kind: 'findings', findings: exposed.map((key) => findingOf(event, found, key)) };
  const shown = { ...findingOf(event, found, { id: '' }), clue: { kind: 'unknown' } };
  return {
    kind: 'findings',
    findings: [{ ...shown, showOnly: 'AWS Health does not say which access key is exposed.' }],
  };
}

interface Exposed {
  readonly id: string;
  readonly account?: string;
  readonly user?: string;
}

/** Each key once. One source of these events names the key, another the user's ARN with the key in its details. */
function keysOf({ affectedEntities = [], eventDescription = [] }: Detail): readonly Exposed[] {
  const named = affectedEntities.flatMap(ofEntity);
  const inText = eventDescription.flatMap(({ latestDescription = '' }) => {
    const id = awsKeyIdIn(latestDescription);
    return id ? [{ id }] : [];
  });
  const exposed = named.length > 0 ? named : inText;
  return [...new Map(exposed.map((key) => [key.id, key])).values()];
}

function ofEntity({ entityValue, additionalDetails = {} }: Entity): readonly Exposed[] {
  const given = Object.entries(additionalDetails).find(([name]) => /^access_?key_?id$/i.test(name))?.[1];
  const id = awsKeyIdIn(typeof given === 'string' ? given : entityValue);
  if (!id) return [];
  const [, account, user] = /^arn:aws[\w-]*:iam::(\d{12}):user\/(?:.*\/)?([^/]+)$/.exec(entityValue) ?? [];
  return [{ id, ...(account && { account }), ...(user && { user }) }];
}

function findingOf(event: EventBridgeEvent, found: Detail, key: Exposed): Finding {
  const account = key.account ?? found.affectedAccount ?? event.account;
  const cause = `aws-health:${found.eventArn}`;
  const title = `AWS found an access key of account ${account} in public`;
  const exposedAt = new Date(found.startTime ?? Number.NaN);
  return {
    dedupeKey: `${cause}:${key.id}`,
    title: key.id ? `${title}: ${key.id}` : title,
    cause: { key: cause, title },
    severity: 'critical',
    exposure: 'public',
    validity: 'unknown',
    clue: { kind: 'aws.access-key', id: key.id, where: { account, ...(key.user && { user: key.user }) } },
    locations: [{ label: `AWS Health ${CODE}, account ${account}`, url: 'https://health.aws.amazon.com/health/home' }],
    detectedAt: event.time,
    ...(Number.isNaN(exposedAt.getTime()) ? {} : { exposedAt: exposedAt.toISOString() }),
  };
}
