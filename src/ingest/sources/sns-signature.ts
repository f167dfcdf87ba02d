import { verify, X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { text } from '../shape.ts';

const common = {
  MessageId: z.string().regex(/^[\w-]{1,100}$/, 'Expected a message id.'),
  TopicArn: z
    .string()
    .regex(/^arn:aws[\w-]{0,20}:sns:[\w-]{1,40}:\d{12}:[\w.-]{1,256}$/, 'Expected the ARN of a topic.'),
  Message: z.string(),
  Timestamp: z.iso.datetime(),
  SignatureVersion: z.enum(['1', '2']),
  Signature: z.base64().min(1).max(2_000),
  SigningCertURL: text(2_000),
};
const confirmation = { ...common, Token: text(4_096), SubscribeURL: text(4_096) };

/** What SNS posts: https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html */
export const snsEnvelope = z.discriminatedUnion('Type', [
  z.object({ Type: z.literal('Notification'), ...common, Subject: z.string().max(1_000).nullish() }),
  z.object({ Type: z.literal('SubscriptionConfirmation'), ...confirmation }),
  z.object({ Type: z.literal('UnsubscribeConfirmation'), ...confirmation }),
]);
export type SnsEnvelope = z.infer<typeof snsEnvelope>;

/** The text that SNS signed: sorted `key\nvalue\n`. https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html */
export function stringToSign(envelope: SnsEnvelope): string {
  const { Message, MessageId, Timestamp, TopicArn, Type } = envelope;
  const signed: Record<string, string> =
    envelope.Type === 'Notification'
      ? { Message, MessageId, ...(envelope.Subject ? { Subject: envelope.Subject } : {}), Timestamp, TopicArn, Type }
      : { Message, MessageId, SubscribeURL: envelope.SubscribeURL, Timestamp, Token: envelope.Token, TopicArn, Type };
  return Object.entries(signed)
    .map(([key, value]) => `${key}\n${value}\n`)
    .join('');
}

/** Whether `url` is https on a host of SNS: the only place a certificate or a confirmation may be fetched from. */
export function isSnsUrl(url: string): boolean {
  const { protocol, hostname, port, username, password } = URL.parse(url) ?? {};
  const host = /^sns\.[a-zA-Z0-9-]{3,}\.amazonaws\.com(\.cn)?$/;
  return protocol === 'https:' && host.test(hostname ?? '') && port === '' && username === '' && password === '';
}

export const isSnsCertificateUrl = (url: string): boolean => isSnsUrl(url) && new URL(url).pathname.endsWith('.pem');

/**
 * Why `certificate` cannot have signed for SNS at `now`, or null. The file holds the leaf alone, so that its issuer cannot be
 * followed offline; that it came over TLS from a host of SNS is what vouches for it.
 */
export function certificateFault(certificate: X509Certificate, now: Date): string | null {
  const name = /^CN=(.*)$/m.exec(certificate.subject)?.[1] ?? '';
  if (!/^sns[.-]([a-z0-9-]+\.)?amazonaws\.com(\.cn)?$/.test(name)) return 'it was not issued to SNS';
  if (now < new Date(certificate.validFrom)) return 'it is not valid yet; check this machine’s clock';
  if (now > new Date(certificate.validTo)) return 'it has expired';
  if (certificate.publicKey.asymmetricKeyType !== 'rsa') return 'it holds no RSA key';
  return null;
}

/** Whether the key of `certificate` signed `envelope`: RSA with SHA-1 for version 1, SHA-256 for version 2. */
export function isSigned(envelope: SnsEnvelope, certificate: X509Certificate): boolean {
  const algorithm = envelope.SignatureVersion === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
  return verify(
    algorithm,
    Buffer.from(stringToSign(envelope)),
    certificate.publicKey,
    Buffer.from(envelope.Signature, 'base64'),
  );
}

const REMEMBERED = 16;

/**
 * Certificates by address, each fetched once while it is remembered. Rejects when `fetch` does or when it gives no certificate;
 * a failure is forgotten, so that the next delivery tries again.
 */
export function certificates(fetch: (url: string) => Promise<string>): (url: string) => Promise<X509Certificate> {
  const known = new Map<string, Promise<X509Certificate>>();
  return async (url) => {
    const certificate = known.get(url) ?? fetch(url).then((pem) => new X509Certificate(pem));
    known.set(url, certificate);
    const oldest = known.keys().next().value;
    if (known.size > REMEMBERED && oldest !== undefined) known.delete(oldest); // the path is the sender's choice
    certificate.catch(() => known.delete(url));
    return certificate;
  };
}
