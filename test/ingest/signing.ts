import { createHmac, type KeyObject, sign } from 'node:crypto';
import { type SnsEnvelope, stringToSign } from '../../src/ingest/sources/sns-signature.ts';

const hmac = (secret: string, data: string | Buffer): string => createHmac('sha256', secret).update(data).digest('hex');

export const githubHeaders = (
  secret: string,
  body: string | Buffer,
  { event = 'secret_scanning_alert', delivery = '72d3162e-cc78-11e3-81ab-4c9367dc0958' } = {},
): Record<string, string> => ({
  'content-type': 'application/json',
  'x-github-event': event,
  'x-github-delivery': delivery,
  'x-hub-signature-256': `sha256=${hmac(secret, body)}`,
});

export function genericHeaders(secret: string, body: string | Buffer, at: Date): Record<string, string> {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const signature = hmac(secret, Buffer.concat([Buffer.from(`${timestamp}.`), Buffer.from(body)]));
  return { 'x-tourniquet-timestamp': timestamp, 'x-tourniquet-signature': `v1=${signature}` };
}

export const TOPIC = 'arn:aws:sns:us-east-1:111122223333:security-findings';
export const CERTIFICATE_URL = 'https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0000.pem';

/** An SNS notification of `message`, signed; `changes` come before the signature. */
export function snsBody(message: string, key: KeyObject, at: Date, changes: Record<string, string> = {}): string {
  const envelope = {
    Type: 'Notification',
    MessageId: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324',
    TopicArn: TOPIC,
    Message: message,
    Timestamp: at.toISOString(),
    SignatureVersion: '2',
    SigningCertURL: CERTIFICATE_URL,
    UnsubscribeURL: 'https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe',
    Signature: '',
    ...changes,
  };
  const algorithm = envelope.SignatureVersion === '1' ? 'RSA-SHA1' : 'RSA-SHA256';
  const signed = Buffer.from(stringToSign(envelope as unknown as SnsEnvelope));
  return JSON.stringify({ ...envelope, Signature: sign(algorithm, signed, key).toString('base64') });
}
