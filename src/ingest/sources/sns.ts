import type { X509Certificate } from 'node:crypto';
import { invalid, shapedJson } from '../shape.ts';
import type { Authenticated, Parsed, RawRequest, WebhookSource } from '../source.ts';
import { type EventParser, eventBridgeEvent } from './event-bridge.ts';
import {
  certificateFault,
  certificates,
  isSigned,
  isSnsCertificateUrl,
  isSnsUrl,
  snsEnvelope,
} from './sns-signature.ts';

const HOUR_MS = 3_600_000;
const AHEAD_MS = 300_000;

export interface SnsOptions {
  /** The ARNs of the topics that may speak to us; every other is refused before anything it names is fetched. */
  readonly topics: readonly string[];
  /** Fetches a certificate (PEM) over https; rejects when it cannot. Only ever called with an address on a host of SNS. */
  readonly fetchCertificate: (url: string) => Promise<string>;
  readonly events: readonly EventParser[];
  /** How old a message may be, 1 h unless told: as long as SNS itself retries an HTTP endpoint. */
  readonly maxAgeMs?: number;
}

/** EventBridge events through an SNS topic with an HTTPS subscription (raw message delivery off). */
export function snsSource(options: SnsOptions): WebhookSource {
  const topics = new Set(options.topics);
  const certificateAt = certificates(options.fetchCertificate);
  const maxAgeMs = options.maxAgeMs ?? HOUR_MS;
  const parsers = new Map(options.events.map((parser) => [parser.source, parser]));
  return {
    name: 'sns',
    authn: 'rsa:sns',
    authenticate: (request, now) => authenticate(request, now, topics, maxAgeMs, certificateAt),
    parse: (request) => parse(request, parsers),
  };
}

async function authenticate(
  { headers, body }: RawRequest,
  now: Date,
  topics: ReadonlySet<string>,
  maxAgeMs: number,
  certificateAt: (url: string) => Promise<X509Certificate>,
): Promise<Authenticated> {
  const refused = (because: string, status: 401 | 503 = 401): Authenticated => ({ ok: false, status, because });
  if (headers['x-amz-sns-rawdelivery'] === 'true') {
    return refused('Raw message delivery carries no signature: turn it off for this subscription.');
  }
  const shaped = shapedJson(snsEnvelope, body);
  if (!shaped.ok) return refused(`This is not a signed SNS message: ${shaped.invalid.at} ${shaped.invalid.message}`);
  const envelope = shaped.value;
  if (!topics.has(envelope.TopicArn)) return refused(`The topic ${envelope.TopicArn} is not on the list of topics.`);
  if (!isSnsCertificateUrl(envelope.SigningCertURL)) return refused('SigningCertURL is not an address of SNS.');
  const ageMs = now.getTime() - Date.parse(envelope.Timestamp);
  if (ageMs > maxAgeMs) return refused('The message is too old: it may be a replay.');
  if (ageMs < -AHEAD_MS) return refused('The message is from the future: check this machine’s clock.');
  let certificate: X509Certificate;
  try {
    certificate = await certificateAt(envelope.SigningCertURL);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return refused(`The certificate of SNS could not be fetched: ${why}`, 503);
  }
  const fault = certificateFault(certificate, now);
  if (fault) return refused(`The certificate cannot be believed: ${fault}.`);
  if (!isSigned(envelope, certificate)) return refused('The signature does not match the message.');
  return { ok: true, delivery: envelope.MessageId };
}

function parse({ body }: RawRequest, parsers: ReadonlyMap<string, EventParser>): Parsed {
  const shaped = shapedJson(snsEnvelope, body);
  if (!shaped.ok) return shaped.invalid;
  const envelope = shaped.value;
  switch (envelope.Type) {
    case 'SubscriptionConfirmation':
      return isSnsUrl(envelope.SubscribeURL)
        ? { kind: 'confirm-subscription', url: envelope.SubscribeURL, topic: envelope.TopicArn }
        : invalid('/SubscribeURL', 'This is not an address of SNS; it is not visited.');
    case 'UnsubscribeConfirmation':
      return { kind: 'nothing', because: `SNS says that ${envelope.TopicArn} no longer sends to us.` };
    case 'Notification': {
      const event = shapedJson(eventBridgeEvent, Buffer.from(envelope.Message));
      if (!event.ok)
        return invalid(`/Message${event.invalid.at}`, `Not an EventBridge event: ${event.invalid.message}`);
      const parser = parsers.get(event.value.source);
      if (!parser)
        return { kind: 'nothing', because: `Events from ${event.value.source} say nothing about a credential.` };
      const parsed = parser.parse(event.value);
      return parsed.kind === 'invalid' ? invalid(`/Message/detail${parsed.at}`, parsed.message) : parsed;
    }
  }
}
