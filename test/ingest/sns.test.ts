import { describe, expect, it } from 'vitest';
import { awsHealth } from '../../src/ingest/sources/aws-health.ts';
import { guardDuty } from '../../src/ingest/sources/guardduty.ts';
import { snsSource } from '../../src/ingest/sources/sns.ts';
import { selfSigned } from './certificate.ts';
import { AWS_KEY, fixture } from './samples.ts';
import { CERTIFICATE_URL, snsBody, TOPIC } from './signing.ts';
import { NOW } from './world.ts';

const days = (n: number): Date => new Date(NOW.getTime() + n * 86_400_000);
const good = selfSigned('sns.amazonaws.com', days(-1), days(30));
const event = fixture('guardduty-user-key.json');

function source(fetchCertificate: (url: string) => Promise<string> = async () => good.pem) {
  const fetched: string[] = [];
  const sns = snsSource({
    topics: [TOPIC],
    events: [guardDuty, awsHealth],
    fetchCertificate: (url) => {
      fetched.push(url);
      return fetchCertificate(url);
    },
  });
  const authenticate = (body: string, now = NOW, headers = {}) =>
    sns.authenticate({ headers, body: Buffer.from(body) }, now);
  return { sns, fetched, authenticate };
}

describe('the signature of SNS', () => {
  it.each(['1', '2'])('of version %s is accepted, with and without a subject', async (SignatureVersion) => {
    const { authenticate } = source();
    const accepted = { ok: true, delivery: '22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324' };
    expect(await authenticate(snsBody(event, good.privateKey, NOW, { SignatureVersion }))).toEqual(accepted);
    const withSubject = snsBody(event, good.privateKey, NOW, { SignatureVersion, Subject: 'Finding' });
    expect(await authenticate(withSubject)).toEqual(accepted);
  });

  it('covers the fields of a confirmation', async () => {
    const { authenticate } = source();
    const changes = {
      Type: 'SubscriptionConfirmation',
      Token: 'abc',
      SubscribeURL: 'https://sns.us-east-1.amazonaws.com/?x',
    };
    const body = snsBody('You have chosen to subscribe', good.privateKey, NOW, changes);
    expect(await authenticate(body)).toMatchObject({ ok: true });
    expect(await authenticate(body.replace('"abc"', '"abd"'))).toMatchObject({ ok: false, status: 401 });
  });

  it('is fetched once for many messages', async () => {
    const { authenticate, fetched } = source();
    for (let i = 0; i < 3; i += 1)
      expect(await authenticate(snsBody(event, good.privateKey, NOW))).toMatchObject({ ok: true });
    expect(fetched).toEqual([CERTIFICATE_URL]);
  });

  it.each([
    ['Message', event.replace('deploy', 'admin')],
    ['MessageId', '00000000-0000-0000-0000-000000000000'],
    ['Timestamp', new Date(NOW.getTime() - 1).toISOString()],
    ['Subject', 'added later'],
    ['Type', 'Other'],
    ['SignatureVersion', '1'],
  ])('does not hold once %s is changed', async (field, value) => {
    const { authenticate } = source();
    const changed = JSON.stringify({ ...JSON.parse(snsBody(event, good.privateKey, NOW)), [field]: value });
    expect(await authenticate(changed)).toMatchObject({ ok: false, status: 401 });
  });

  it('counts for nothing under a key that is not of SNS', async () => {
    const other = selfSigned('sns.amazonaws.com', days(-1), days(30));
    const { authenticate } = source();
    expect(await authenticate(snsBody(event, other.privateKey, NOW))).toMatchObject({ ok: false, status: 401 });
  });
});

describe('what an SNS message may make us fetch', () => {
  it('is nothing when its topic is not on the list', async () => {
    const { authenticate, fetched } = source();
    const TopicArn = 'arn:aws:sns:us-east-1:999999999999:evil';
    const answer = await authenticate(snsBody(event, good.privateKey, NOW, { TopicArn }));
    expect(answer).toMatchObject({ ok: false, status: 401, because: expect.stringContaining('not on the list') });
    expect(fetched).toEqual([]);
  });

  it.each([
    'http://sns.us-east-1.amazonaws.com/x.pem',
    'https://sns.us-east-1.amazonaws.com.evil.example/x.pem',
    'https://evil.example/sns.us-east-1.amazonaws.com/x.pem',
    'https://sns.us-east-1.amazonaws.com@evil.example/x.pem',
    'https://user@sns.us-east-1.amazonaws.com/x.pem',
    'https://sns.us-east-1.amazonaws.com:8443/x.pem',
    'https://sns.us-east-1.amazonaws.com/x.txt',
    'https://sns.us-east-1.amazonaws.com/?x.pem',
    'https://sns.amazonaws.com/x.pem',
    'https://169.254.169.254/x.pem',
    'file:///etc/x.pem',
    'not an address',
  ])('is not a certificate at %s', async (SigningCertURL) => {
    const { authenticate, fetched } = source();
    const answer = await authenticate(snsBody(event, good.privateKey, NOW, { SigningCertURL }));
    expect(answer).toMatchObject({ ok: false, status: 401, because: expect.stringContaining('SigningCertURL') });
    expect(fetched).toEqual([]);
  });

  it('is nothing for a message that is an hour old or from the future', async () => {
    const { authenticate, fetched } = source();
    const body = snsBody(event, good.privateKey, NOW);
    expect(await authenticate(body, new Date(NOW.getTime() + 3_600_001))).toMatchObject({ ok: false, status: 401 });
    expect(await authenticate(body, new Date(NOW.getTime() - 300_001))).toMatchObject({ ok: false, status: 401 });
    expect(fetched).toEqual([]);
    expect(await authenticate(body, new Date(NOW.getTime() + 3_599_000))).toMatchObject({ ok: true });
  });

  it('asks the sender to come again when the certificate cannot be had, and then tries again', async () => {
    let up = false;
    const { authenticate, fetched } = source(async () => {
      if (!up) throw new Error('no route');
      return good.pem;
    });
    const body = snsBody(event, good.privateKey, NOW);
    expect(await authenticate(body)).toMatchObject({ ok: false, status: 503 });
    up = true;
    expect(await authenticate(body)).toMatchObject({ ok: true });
    expect(fetched).toHaveLength(2);
  });

  it.each([
    ['issued to someone else', selfSigned('sns.evil.example', days(-1), days(30))],
    ['expired', selfSigned('sns.amazonaws.com', days(-9), days(-1))],
    ['not yet valid', selfSigned('sns.amazonaws.com', days(1), days(9))],
  ])('does not make a certificate good that is %s', async (_name, certificate) => {
    const { authenticate } = source(async () => certificate.pem);
    const answer = await authenticate(snsBody(event, certificate.privateKey, NOW));
    expect(answer).toMatchObject({ ok: false, status: 401, because: expect.stringContaining('certificate') });
  });

  it('is no certificate when it is something else', async () => {
    const { authenticate } = source(async () => '<html>');
    expect(await authenticate(snsBody(event, good.privateKey, NOW))).toMatchObject({ ok: false, status: 503 });
  });
});

describe('what an SNS message means', () => {
  const parse = (body: string) => source().sns.parse({ headers: {}, body: Buffer.from(body) });
  const signed = (message: string, changes = {}) => snsBody(message, good.privateKey, NOW, changes);

  it('is what the event within means', () => {
    expect(parse(signed(event))).toMatchObject({ kind: 'findings', findings: [{ clue: { id: AWS_KEY } }] });
    expect(parse(signed(fixture('aws-health-key-as-entity.json')))).toMatchObject({
      findings: [{ exposure: 'public' }],
    });
    expect(parse(signed(event.replaceAll('aws.guardduty', 'aws.ec2')))).toMatchObject({ kind: 'nothing' });
  });

  it('is a subscription to confirm, at an address of SNS only', () => {
    const confirm = { Type: 'SubscriptionConfirmation', Token: 'abc' };
    const SubscribeURL = 'https://sns.us-east-1.amazonaws.com/?Action=ConfirmSubscription';
    expect(parse(signed('', { ...confirm, SubscribeURL }))).toEqual({
      kind: 'confirm-subscription',
      url: SubscribeURL,
      topic: TOPIC,
    });
    expect(parse(signed('', { ...confirm, SubscribeURL: 'https://evil.example/' }))).toMatchObject({
      kind: 'invalid',
      at: '/SubscribeURL',
    });
    expect(parse(signed('', { ...confirm, Type: 'UnsubscribeConfirmation', SubscribeURL })).kind).toBe('nothing');
  });

  it('is refused, with the place, where the event within is not understood', () => {
    expect(parse(signed('not json'))).toMatchObject({ kind: 'invalid', at: '/Message' });
    expect(parse(signed('{"a":1,"a":2}'))).toMatchObject({ kind: 'invalid', at: '/Message/a' });
    expect(parse(signed(event.replace('"severity": 8', '"severity": "8"')))).toMatchObject({
      at: '/Message/detail/severity',
    });
  });

  it('cannot be known with raw delivery, which carries no signature', async () => {
    const answer = await source().authenticate(event, NOW, { 'x-amz-sns-rawdelivery': 'true' });
    expect(answer).toMatchObject({ ok: false, because: expect.stringContaining('turn it off') });
  });
});
