import { describe, expect, it } from 'vitest';
import { shaped } from '../../src/ingest/shape.ts';
import { awsHealth } from '../../src/ingest/sources/aws-health.ts';
import { type EventParser, eventBridgeEvent } from '../../src/ingest/sources/event-bridge.ts';
import { guardDuty } from '../../src/ingest/sources/guardduty.ts';
import { AWS_KEY, fixtureJson, SESSION_KEY, withMember } from './samples.ts';

function parse(parser: EventParser, name: string, changes: Record<string, unknown> = {}) {
  const event = Object.entries(changes).reduce(
    (body, [path, value]) => withMember(body, path, value),
    fixtureJson(name),
  );
  const result = shaped(eventBridgeEvent, JSON.parse(JSON.stringify(event)));
  if (!result.ok) return result.invalid;
  return parser.parse(result.value);
}
const userKey = (changes?: Record<string, unknown>) => parse(guardDuty, 'guardduty-user-key.json', changes);
const role = (changes?: Record<string, unknown>) => parse(guardDuty, 'guardduty-instance-role.json', changes);

describe('GuardDuty', () => {
  it('about the key of a user names the key', () => {
    expect(userKey()).toMatchObject({
      kind: 'findings',
      findings: [
        {
          dedupeKey: 'guardduty:16afba5c5c43e07c9e3e5e2e544e95df',
          cause: { key: 'guardduty:16afba5c5c43e07c9e3e5e2e544e95df' },
          severity: 'high',
          exposure: 'anomaly',
          validity: 'unknown',
          clue: { kind: 'aws.access-key', id: AWS_KEY, where: { account: '111122223333', user: 'deploy' } },
          detectedAt: '2026-05-04T10:00:00.000Z',
          exposedAt: '2026-05-04T09:51:00.000Z',
        },
      ],
    });
    expect(JSON.stringify(userKey())).not.toContain('showOnly');
  });

  it('about the session of an instance names the session, as AWS knows it, and its role', () => {
    expect(role({ 'detail.service.additionalInfo': null })).toMatchObject({
      findings: [
        {
          clue: {
            kind: 'aws.role-session',
            id: SESSION_KEY,
            where: { account: '111122223333', role: 'web-instance', instance: 'i-0123456789abcdef0' },
          },
        },
      ],
    });
    expect(JSON.stringify(role({ 'detail.service.additionalInfo': null }))).not.toContain('showOnly');
  });

  it.each([
    ['as a field', { sample: true }],
    ['as JSON in a string', { value: '{"sample":true}', type: 'default' }],
  ])('that says %s that it is a sample is only shown', (_name, additionalInfo) => {
    const parsed = userKey({ 'detail.service.additionalInfo': additionalInfo });
    expect(parsed).toMatchObject({ findings: [{ showOnly: expect.stringContaining('sample') }] });
  });

  it.each([
    [9, 'critical'],
    [8.9, 'high'],
    [7, 'high'],
    [6.9, 'medium'],
    [4, 'medium'],
    [3.9, 'low'],
    [0.1, 'low'],
  ])('of severity %d is %s', (number, severity) => {
    expect(userKey({ 'detail.severity': number })).toMatchObject({ findings: [{ severity }] });
  });

  it.each([
    ['root user', { 'detail.resource.accessKeyDetails.userType': 'Root' }],
    ['names no access key', { 'detail.resource.accessKeyDetails.accessKeyId': '' }],
    ['temporary', { 'detail.resource.accessKeyDetails.accessKeyId': SESSION_KEY }],
  ])('that nobody can act on through an API is only shown: %s', (why, changes) => {
    expect(userKey(changes)).toMatchObject({
      findings: [{ clue: { kind: 'unknown' }, showOnly: expect.stringContaining(why) }],
    });
  });

  it('of an attack sequence names each credential once', () => {
    const resources = [
      { uid: AWS_KEY, resourceType: 'ACCESS_KEY', data: { accessKey: { userName: 'deploy', userType: 'IAMUser' } } },
      { uid: 'AROAEXAMPLE', resourceType: 'ACCESS_KEY', data: { accessKey: { userName: 'ops', userType: 'Role' } } },
      { uid: 'i-1', resourceType: 'EC2_INSTANCE', data: {} },
    ];
    const parsed = userKey({
      'detail.type': 'AttackSequence:IAM/CompromisedCredentials',
      'detail.resource': { resourceType: 'AttackSequence' },
      'detail.service.detection': { sequence: { resources } },
      'detail.severity': 9,
    });
    expect(parsed).toMatchObject({
      findings: [
        {
          dedupeKey: expect.stringContaining(AWS_KEY),
          clue: { kind: 'aws.access-key', id: AWS_KEY },
          severity: 'critical',
        },
        { clue: { kind: 'aws.role-session', id: 'ops' } },
      ],
    });
  });

  it('about anything but credentials, or archived, asks for nothing', () => {
    expect(userKey({ 'detail.type': 'CryptoCurrency:EC2/BitcoinTool.B!DNS' }).kind).toBe('nothing');
    expect(userKey({ 'detail.service.archived': true }).kind).toBe('nothing');
  });

  it.each([
    ['detail.id', 5, '/id'],
    ['detail.severity', 'high', '/severity'],
    ['detail.accountId', '1', '/accountId'],
    ['detail.resource', 'AccessKey', '/resource'],
    ['detail', [], '/detail'],
    ['account', 111122223333, '/account'],
  ])('is refused when %s is %j', (path, value, at) => {
    expect(userKey({ [path]: value })).toMatchObject({ kind: 'invalid', at });
  });
});

describe('AWS Health', () => {
  it('names the exposed key as the entity', () => {
    expect(parse(awsHealth, 'aws-health-key-as-entity.json')).toMatchObject({
      findings: [
        {
          dedupeKey: expect.stringMatching(`AWS_RISK_CREDENTIALS_EXPOSED_1214:${AWS_KEY}$`),
          severity: 'critical',
          exposure: 'public',
          clue: { kind: 'aws.access-key', id: AWS_KEY, where: { account: '111122223333' } },
          detectedAt: '2026-05-04T09:13:38.000Z',
          exposedAt: '2026-05-04T09:12:58.000Z',
        },
      ],
    });
  });

  it('or as a detail of its user, whose account counts', () => {
    expect(parse(awsHealth, 'aws-health-user-as-entity.json')).toMatchObject({
      findings: [{ clue: { id: AWS_KEY, where: { account: '444455556666', user: 'deploy' } } }],
    });
  });

  it('without a key anywhere is only shown', () => {
    const parsed = parse(awsHealth, 'aws-health-key-as-entity.json', { 'detail.affectedEntities': [] });
    expect(parsed).toMatchObject({ findings: [{ clue: { kind: 'unknown' }, showOnly: expect.any(String) }] });
  });

  it('about other risks, or closed, asks for nothing', () => {
    expect(parse(awsHealth, 'aws-health-key-as-entity.json', { 'detail.eventTypeCode': 'AWS_EC2_DOWN' }).kind).toBe(
      'nothing',
    );
    expect(parse(awsHealth, 'aws-health-key-as-entity.json', { 'detail.statusCode': 'closed' }).kind).toBe('nothing');
  });
});
