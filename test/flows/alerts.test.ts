import { afterEach, describe, expect, it } from 'vitest';
import { ingestFile } from '../../src/ingest/ingest-file.ts';
import { fixtureJson, withMember } from '../ingest/samples.ts';
import { CERTIFICATE_URL } from '../ingest/signing.ts';
import { ACCOUNT, doneByAws, type Flow, githubAlert, openFlow, userState, WEB } from './world.ts';

let flow: Flow;
afterEach(() => flow.end());

const canUse = (keyId: string): boolean => flow.world.aws.world.canUse(keyId);
const told = async () => (await flow.incidents()).flatMap((each) => each.findings.map(({ because }) => because));

describe('an alert of GitHub', () => {
  it('on a token nobody owns asks one person, then revokes it, proves it dead and resolves the alert', async () => {
    flow = await openFlow();
    const { github } = flow.world;
    const token = github.world.addToken('ghp', 'ada', { scopes: ['repo'] });
    const { delivery, number } = githubAlert(flow, token, { secretType: 'github_personal_access_token' });
    expect(await flow.post(delivery)).toMatchObject({ status: 202, body: { status: 'accepted' } });
    await flow.settle();
    expect(await flow.run()).toMatchObject({ standing: 'waiting-approval', action: { what: { people: 1 } } });
    expect(github.world.accepts(token)).toBe(true);
    await flow.finish();
    expect(github.world.accepts(token)).toBe(false);
    expect(github.world.alert({ ...WEB, number })).toMatchObject({ state: 'resolved', resolution: 'revoked' });
    expect(await flow.run()).toMatchObject({ standing: 'retired' });
    expect(flow.calls.filter((call) => call === 'POST /credentials/revoke')).toHaveLength(1);
  });

  it('on a public, active token of a known owner is contained without waiting for anybody', async () => {
    const inventory = [{ match: { kind: 'github.token', where: { owner: 'ada' } }, owner: 'ada' }];
    flow = await openFlow({ inventory });
    const token = flow.world.github.world.addToken('ghp', 'ada', { scopes: ['repo'] });
    await flow.post(githubAlert(flow, token, { secretType: 'github_personal_access_token' }).delivery);
    await flow.settle();
    expect(flow.world.github.world.accepts(token)).toBe(false);
    expect(await flow.run()).toMatchObject({ milestones: { contained: expect.any(Number) } });
    await flow.finish();
  });

  it('on the private half of a deploy key removes that key alone', async () => {
    flow = await openFlow();
    const { world } = flow.world.github;
    const leaked = world.addDeployKey(WEB, { readOnly: true });
    const other = world.addDeployKey(WEB, { readOnly: true });
    flow.plant(leaked.privateKey);
    flow.plant(other.privateKey);
    await flow.post(githubAlert(flow, leaked.privateKey, { secretType: 'ssh_private_key' }).delivery);
    await flow.finish();
    expect(world.repository(WEB).keys.map(({ id }) => id)).toEqual([other.id]);
    expect(await flow.run()).toMatchObject({ standing: 'retired' });
  });

  it('with a wrong signature is refused and starts nothing', async () => {
    flow = await openFlow();
    const { delivery } = githubAlert(flow, flow.key().id);
    const forged = { ...delivery, body: delivery.body.replace('"publicly_leaked":true', '"publicly_leaked":false') };
    expect(await flow.post(forged)).toMatchObject({ status: 401 });
    await flow.settle();
    expect(await flow.incidents()).toEqual([]);
    expect(flow.calls).toEqual([]);
  });
});

describe('an event through SNS', () => {
  /** GuardDuty's own finding, on a session that the simulated AWS gave out. */
  const exfiltration = (sample: boolean) => {
    const { aws } = flow.world;
    aws.world.addRole(ACCOUNT, 'web-instance', { attached: ['AdministratorAccess'] });
    const { Credentials } = aws.world.perform({
      keyId: flow.key('ec2').id,
      service: 'sts',
      action: 'AssumeRole',
      params: { RoleArn: `arn:aws:iam::${ACCOUNT}:role/web-instance`, RoleSessionName: 'i-0123456789abcdef0' },
    });
    const session = String(Object(Credentials).AccessKeyId);
    flow.clock.advance(60_000);
    let event = withMember(fixtureJson('guardduty-instance-role.json'), 'detail.accountId', ACCOUNT);
    event = withMember(event, 'detail.resource.accessKeyDetails.accessKeyId', session);
    if (!sample) event = withMember(event, 'detail.service.additionalInfo', { value: '{}', type: 'default' });
    return { session, event: JSON.parse(JSON.stringify(event)) };
  };

  it.each(['1', '2'] as const)('signed by version %s has the role refuse the stolen session', async (version) => {
    flow = await openFlow();
    const { session, event } = exfiltration(false);
    expect(canUse(session)).toBe(true);
    expect(await flow.postEvent(event, version)).toMatchObject({ status: 202, body: { status: 'accepted' } });
    await flow.settle();
    expect(canUse(session)).toBe(false);
    expect(await flow.run()).toMatchObject({ milestones: { contained: expect.any(Number) } });
    expect(doneByAws(flow, 'PutRolePolicy')).toBe(1);
  });

  it('that is a sample finding is shown and never acted on, nor looked up', async () => {
    flow = await openFlow();
    const { session, event } = exfiltration(true);
    await flow.postEvent(event);
    await flow.settle();
    expect(await flow.incident()).toMatchObject({ state: 'closed', runs: [], findings: [{ verdict: 'told' }] });
    expect(canUse(session)).toBe(true);
    expect(flow.calls).toEqual([]);
  });

  it('of AWS Health on an exposed key contains the key', async () => {
    flow = await openFlow();
    const key = flow.key();
    const text = JSON.stringify(fixtureJson('aws-health-key-as-entity.json'));
    const event = JSON.parse(text.replaceAll(/AKIA[A-Z0-9]{16}/g, key.id).replaceAll('111122223333', ACCOUNT));
    await flow.postEvent(event);
    await flow.settle();
    expect(canUse(key.id)).toBe(false);
    expect(userState(flow, key.user).keys).toEqual([{ id: key.id, status: 'Inactive' }]);
  });

  it('whose signature is of somebody else is refused', async () => {
    flow = await openFlow();
    const { event } = exfiltration(false);
    const body = JSON.stringify({
      Type: 'Notification',
      MessageId: 'x-1',
      TopicArn: 'arn:aws:sns:us-east-1:111122223333:security-findings',
      Message: JSON.stringify(event),
      Timestamp: flow.clock.now().toISOString(),
      SignatureVersion: '2',
      SigningCertURL: CERTIFICATE_URL,
      Signature: Buffer.from('not signed by SNS').toString('base64'),
    });
    expect(await flow.post({ path: '/webhooks/sns', headers: {}, body })).toMatchObject({ status: 401 });
    await flow.settle();
    expect(await flow.incidents()).toEqual([]);
  });
});

describe('a scanner’s report', () => {
  const actor = { kind: 'person', id: 'ana', authn: 'cli:ana' } as const;
  const handIn = (report: unknown) => {
    const bytes = Buffer.from(typeof report === 'string' ? report : JSON.stringify(report));
    const { inbox, options } = flow.app;
    const defaults = { repository: 'acme/web', exposure: 'public' } as const;
    return ingestFile({ bytes, defaults, actor }, { inbox, seal: options.seal, clock: options.clock });
  };
  const leak = { StartLine: 3, File: 'deploy.env', Commit: 'f14d7deb'.repeat(5), Description: '', Date: '' };

  it('of gitleaks contains the AWS key in it, whose secret it holds too', async () => {
    flow = await openFlow();
    const key = flow.key();
    const Match = `${key.id}\naws_secret_access_key = ${key.secret}`;
    const found = { ...leak, RuleID: 'aws-access-token', Match, Secret: key.id, Fingerprint: 'f:deploy.env:aws:3' };
    expect(await handIn([found])).toMatchObject({ ok: true, format: 'gitleaks', findings: 1 });
    await flow.settle();
    expect(canUse(key.id)).toBe(false);
  });

  it('in SARIF contains the AWS key in it', async () => {
    flow = await openFlow();
    const key = flow.key();
    const region = { startLine: 3, snippet: { text: `${key.id} ${key.secret}` } };
    const physicalLocation = { artifactLocation: { uri: 'deploy.env' }, region };
    const result = { ruleId: 'aws-access-token', message: { text: 'found' }, locations: [{ physicalLocation }] };
    await handIn({ version: '2.1.0', runs: [{ tool: { driver: { name: 'scanner' } }, results: [result] }] });
    await flow.settle();
    expect(canUse(key.id)).toBe(false);
  });

  it('of TruffleHog contains what it verified, and only tells of what it found dead', async () => {
    flow = await openFlow();
    const [verified, dead] = [flow.key(), flow.key()];
    const line = ({ id, secret }: typeof verified, Verified: boolean): string =>
      JSON.stringify({
        SourceMetadata: { Data: { Filesystem: { file: `${id}.txt`, line: 1 } } },
        DetectorName: 'AWS',
        Verified,
        Raw: id,
        RawV2: `${id}:${secret}`,
        Redacted: id,
      });
    await handIn(`${line(verified, true)}\n${line(dead, false)}\n`);
    await flow.settle();
    expect(canUse(verified.id)).toBe(false);
    expect(canUse(dead.id)).toBe(true);
    expect(flow.calls).toContain('PutUserPolicy');
  });

  it('on a key of somebody else’s account is told, and nothing is done', async () => {
    flow = await openFlow();
    const strange = flow.key().id.replace(/.{6}$/, 'AAAAAA');
    const found = { ...leak, RuleID: 'aws-access-token', Match: strange, Secret: strange, Fingerprint: 'x:y:z:1' };
    await handIn([found]);
    await flow.settle();
    expect(await told()).toEqual([expect.stringContaining('does not know the key')]);
    expect(flow.calls.filter((call) => /^(Put|Update|Delete|Create)/.test(call))).toEqual([]);
  });
});
