import { z } from 'zod';
import type { Clue, Finding, Severity } from '../../core/finding.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { awsKeyIdIn } from '../patterns.ts';
import { instant, shaped, text } from '../shape.ts';
import type { Parsed } from '../source.ts';
import { parseStrictJson } from '../strict-json.ts';
import type { EventBridgeEvent, EventParser } from './event-bridge.ts';

const accessKey = z.object({
  accessKeyId: z.string().max(200).optional(),
  principalId: z.string().max(300).optional(),
  userName: z.string().max(300).optional(),
  userType: z.string().max(100).optional(),
});

/** https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_finding-format.html */
const detail = z.object({
  id: text(100),
  accountId: z.string().regex(/^\d{12}$/, 'Expected an account number of 12 digits.'),
  region: text(40),
  type: text(200),
  title: text(500).optional(),
  severity: z.number(),
  createdAt: instant,
  updatedAt: instant.optional(),
  resource: z.object({
    accessKeyDetails: accessKey.optional(),
    instanceDetails: z.object({ instanceId: z.string().max(100).optional() }).optional(),
  }),
  service: z.object({
    archived: z.boolean().optional(),
    eventFirstSeen: instant.optional(),
    additionalInfo: z.object({ sample: z.boolean().optional(), value: z.string().optional() }).nullish(),
    /** Attack sequences name their credentials here instead of in `resource`. */
    detection: z
      .object({
        sequence: z
          .object({
            resources: z
              .array(z.object({ uid: text(500), data: z.object({ accessKey: accessKey.optional() }).optional() }))
              .max(500)
              .optional(),
          })
          .optional(),
      })
      .optional(),
  }),
});
type Detail = z.infer<typeof detail>;
type AccessKey = z.infer<typeof accessKey>;

/** Finding types about IAM credentials: their resource is `IAMUser`, or they are attack sequences that begin with one. */
const ABOUT_CREDENTIALS = /^[A-Za-z]+:IAMUser\/|^AttackSequence:(IAM\/CompromisedCredentials|S3\/CompromisedData)$/;

/** GuardDuty findings about IAM credentials that misbehave. Sample findings are shown and never acted on. */
export const guardDuty: EventParser = { source: 'aws.guardduty', parse };

function parse(event: EventBridgeEvent): Parsed {
  const result = shaped(detail, event.detail);
  if (!result.ok) return result.invalid;
  const found = result.value;
  if (!ABOUT_CREDENTIALS.test(found.type)) {
    return { kind: 'nothing', because: `GuardDuty findings of the type ${found.type} are not about a credential.` };
  }
  if (found.service.archived) return { kind: 'nothing', because: `The finding ${found.id} is archived in GuardDuty.` };
  return { kind: 'findings', findings: suspects(found).map((suspect) => findingOf(found, suspect)) };
}

interface Suspect {
  readonly key: AccessKey;
  /** Distinguishes several credentials of one finding; empty where there is one. */
  readonly suffix: string;
}

function suspects({ resource, service }: Detail): readonly Suspect[] {
  const inSequence = (service.detection?.sequence?.resources ?? []).flatMap(({ uid, data }): Suspect[] => {
    const accessKeyId = data?.accessKey?.accessKeyId ?? awsKeyIdIn(uid);
    return data?.accessKey
      ? [{ key: { ...data.accessKey, ...(accessKeyId && { accessKeyId }) }, suffix: `:${uid}` }]
      : [];
  });
  return inSequence.length > 0 ? inSequence : [{ key: resource.accessKeyDetails ?? {}, suffix: '' }];
}

function findingOf(found: Detail, { key, suffix }: Suspect): Finding {
  const { clue, showOnly } = identify(found, key);
  const cannot = isSample(found) ? 'This is a sample finding that someone generated in GuardDuty.' : showOnly;
  const who = key.userName ? ` by ${key.userName}` : '';
  const title = found.title ?? `${found.type}${who} in account ${found.accountId}`;
  const id = `guardduty:${found.id}`;
  return {
    dedupeKey: `${id}${suffix}`,
    title,
    cause: { key: id, title },
    severity: severityOf(found.severity),
    exposure: 'anomaly',
    validity: 'unknown',
    clue,
    locations: [
      {
        label: `GuardDuty ${found.type}, account ${found.accountId}, ${found.region}`,
        url: `https://${found.region.replace(/[^a-z0-9-]/g, '')}.console.aws.amazon.com/guardduty/home?region=${encodeURIComponent(found.region)}#/findings?search=id%3D${encodeURIComponent(found.id)}`,
      },
    ],
    detectedAt: found.updatedAt ?? found.createdAt,
    ...(found.service.eventFirstSeen && { exposedAt: found.service.eventFirstSeen }),
    ...(cannot && { showOnly: cannot }),
  };
}

/** https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_findings-severity.html */
function severityOf(number: number): Severity {
  if (number >= 9) return 'critical';
  if (number >= 7) return 'high';
  return number >= 4 ? 'medium' : 'low';
}

function isSample({ service: { additionalInfo } }: Detail): boolean {
  if (additionalInfo?.sample === true) return true;
  const value = parseStrictJson(Buffer.from(additionalInfo?.value ?? ''), { bytes: 100_000, depth: 16 });
  return value.ok && isObject(value.value) && value.value.sample === true;
}

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What the credential is, and why it can only be shown where no connector could act on it. */
function identify(found: Detail, key: AccessKey): { clue: Clue; showOnly?: string } {
  const account = found.accountId;
  const keyId = awsKeyIdIn(key.accessKeyId ?? '');
  const user = key.userName;
  const unknown = (showOnly: string): { clue: Clue; showOnly: string } => ({
    clue: { kind: 'unknown', where: { account, ...(user && { user }), ...(keyId && { accessKeyId: keyId }) } },
    showOnly,
  });
  if (key.userType === 'Root')
    return unknown('The root user of an account can only be contained by a person who signs in as root.');
  if (isRole(key) || found.type.includes('InstanceCredentialExfiltration')) {
    const role = user || key.principalId?.split(':')[0];
    if (!role) return unknown('The finding does not say whose session it is.');
    const instance = found.resource.instanceDetails?.instanceId ?? instanceIn(key.principalId);
    const where = { account, role, ...(instance && { instance }) };
    return { clue: { kind: 'aws.role-session', id: keyId ?? role, where } };
  }
  if (!keyId) return unknown('The finding names no access key; the user signed in with a password.');
  if (keyId.startsWith('ASIA')) {
    return unknown('These are temporary credentials of an IAM user: find the access key that made them in CloudTrail.');
  }
  return { clue: { kind: 'aws.access-key', id: keyId, where: { account, ...(user && { user }) } } };
}

const isRole = ({ userType }: AccessKey): boolean => userType === 'AssumedRole' || userType === 'Role';

/** The session of an instance profile is named for its instance: `AROA…:i-0abc`. */
const instanceIn = (principalId = ''): string | undefined => /:(i-[0-9a-f]{8,17})$/.exec(principalId)?.[1];
