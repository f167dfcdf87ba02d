import { z } from 'zod';
import type { Finding } from '../../core/finding.ts';
import { requireSecrets, signedByAny } from '../hmac.ts';
import { instant, link, shapedJson, text } from '../shape.ts';
import type { Authenticated, Parsed, RawRequest, WebhookSource } from '../source.ts';

const WINDOW_MS = 300_000;

const scalar = z.union([z.string().max(500), z.number(), z.boolean()]);

/** An alert from a stream that we know nothing of: whoever sends it translates it to this. */
export const genericAlert = z.strictObject({
  id: z
    .string()
    .regex(/^[\w.:/-]{1,200}$/, 'Expected 1 to 200 letters, digits or . _ : / -')
    .describe('Your identity of this alert. The same id again is a redelivery and changes nothing.'),
  title: text(300).describe('One line for people. It is shown in chat: no secrets.'),
  severity: z.enum(['critical', 'high', 'medium', 'low']),
  exposure: z
    .enum(['public', 'internal', 'anomaly', 'unknown'])
    .default('unknown')
    .describe('Who can reach the credential: anyone, people inside, or nobody known (only its use is odd).'),
  validity: z.enum(['active', 'inactive', 'unknown']).default('unknown'),
  detectedAt: instant,
  exposedAt: instant.optional(),
  cause: z
    .strictObject({ key: text(300), title: text(300) })
    .optional()
    .describe('Alerts with the same cause key join one incident. Left out, the alert is a cause of its own.'),
  credential: z
    .strictObject({
      kind: z
        .string()
        .regex(/^[a-z0-9][a-z0-9.-]{0,99}$/, 'Expected a kind such as aws.access-key.')
        .describe('A kind of credential that a connector knows: aws.access-key, github.token.'),
      id: text(500).optional().describe('Its public id, such as an access key id. Never the secret.'),
      where: z
        .record(z.string().regex(/^\w{1,100}$/), scalar)
        .refine((where) => Object.keys(where).length <= 30, 'At most 30 members are accepted.')
        .optional()
        .describe('What the connector needs to find it: { "account": "123456789012", "user": "deploy" }.'),
      secret: text(8_000)
        .optional()
        .describe('The secret itself, only where its provider needs it. Sealed on arrival.'),
    })
    .refine(
      ({ id, where, secret }) => id ?? where ?? secret,
      'One of id, where or secret must say which credential it is.',
    ),
  locations: z
    .array(z.strictObject({ label: text(500), url: link.optional() }))
    .max(100)
    .default([]),
  showOnly: text(500).optional().describe('Why this alert must only be shown to people and never acted on.'),
});
type GenericAlert = z.infer<typeof genericAlert>;

/** The JSON Schema (draft 2020-12) of what may be sent, for the documentation. */
export const genericAlertSchema = (): object => z.toJSONSchema(genericAlert, { io: 'input' });

/**
 * Any sender that can sign: `X-Tourniquet-Timestamp` (Unix seconds, within five minutes of our clock) and
 * `X-Tourniquet-Signature: v1=<hex HMAC-SHA256 of timestamp + "." + body>`; several signatures, separated by commas, while the
 * secret is being replaced. Throws when there is no secret.
 */
export function genericSource(options: { readonly secrets: readonly string[] }): WebhookSource {
  requireSecrets('generic', options.secrets);
  return {
    name: 'generic',
    authn: 'hmac:generic',
    authenticate: async (request, now) => authenticate(request, now, options.secrets),
    parse,
  };
}

function authenticate({ headers, body }: RawRequest, now: Date, secrets: readonly string[]): Authenticated {
  const refused = (because: string): Authenticated => ({ ok: false, status: 401, because });
  const timestamp = headers['x-tourniquet-timestamp'];
  const header = headers['x-tourniquet-signature'];
  if (!timestamp || !/^\d{1,12}$/.test(timestamp))
    return refused('X-Tourniquet-Timestamp must be Unix time in seconds.');
  if (!header) return refused('There is no X-Tourniquet-Signature header.');
  if (Math.abs(now.getTime() - Number(timestamp) * 1_000) > WINDOW_MS) {
    return refused('X-Tourniquet-Timestamp is more than five minutes from our clock: it may be a replay.');
  }
  const signed = Buffer.concat([Buffer.from(`${timestamp}.`), body]);
  const signatures = header.split(',', 4).map((part) => /^\s*v1=([0-9a-f]{64})\s*$/i.exec(part)?.[1] ?? '');
  if (!signatures.some((signature) => signedByAny(secrets, signed, signature))) {
    return refused('X-Tourniquet-Signature does not match the timestamp and body.');
  }
  const shaped = shapedJson(genericAlert, body);
  return { ok: true, delivery: shaped.ok ? shaped.value.id : 'unreadable' };
}

function parse({ body }: RawRequest): Parsed {
  const shaped = shapedJson(genericAlert, body);
  return shaped.ok ? { kind: 'findings', findings: [findingOf(shaped.value)] } : shaped.invalid;
}

function findingOf(alert: GenericAlert): Finding {
  const { id, cause, credential, locations, exposedAt, showOnly, ...same } = alert;
  const { kind, id: ref, where, secret } = credential;
  return {
    title: same.title,
    severity: same.severity,
    exposure: same.exposure,
    validity: same.validity,
    detectedAt: same.detectedAt,
    dedupeKey: `generic:${id}`,
    cause: cause ?? { key: `generic:${id}`, title: same.title },
    clue: { kind, ...(ref && { id: ref }), ...(where && { where }), ...(secret && { secret }) },
    locations: locations.map(({ label, url }) => ({ label, ...(url && { url }) })),
    ...(exposedAt && { exposedAt }),
    ...(showOnly && { showOnly }),
  };
}
