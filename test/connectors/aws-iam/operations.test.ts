import { afterEach, describe, expect, it } from 'vitest';
import type { Json } from '../../../src/core/json.ts';
import { type ContextOptions, contextOf } from '../../connector.suite.ts';
import {
  ACCOUNT,
  type AwsTestOptions,
  type AwsTestWorld,
  openAws,
  ROLE,
  SECRET_NAME,
  sink,
  USER,
  where,
} from './world.ts';

let world: AwsTestWorld;
const start = async (options?: AwsTestOptions): Promise<void> => {
  world = await openAws(options);
};
afterEach(() => world.close());

const ofKey = (): Json => ({ id: world.key.id, where });
const operation = (name: string) => {
  const found = world.connector.operations.get(`aws-iam.${name}`);
  if (!found) throw new Error(`${name} is not there`);
  return found;
};
async function act(name: string, input: Json, options?: ContextOptions): Promise<Json> {
  const found = operation(name);
  const ctx = contextOf(world, options);
  return found.effect === 'observe' ? found.run(ctx, input) : found.run(ctx, input, await found.before(ctx, input));
}
/** What the intruder does with a key; the key id of the session that came of it. */
function intrude(keyId: string, action: string, params: Record<string, string> = {}): string {
  const { Credentials } = world.sim.world.perform({ keyId, service: 'sts', action, params, ip: '203.0.113.7' });
  return typeof Credentials === 'object' && Credentials !== null && 'AccessKeyId' in Credentials
    ? String(Credentials.AccessKeyId)
    : '';
}
const assume = (keyId: string, role: string, account = ACCOUNT): string =>
  intrude(keyId, 'AssumeRole', { RoleArn: `arn:aws:iam::${account}:role/${role}`, RoleSessionName: 'x' });

describe('containing an AWS key', () => {
  it('disabling alone leaves its sessions alive; the deny stops them, and so the new key until it is narrowed', async () => {
    await start();
    const session = intrude(world.key.id, 'GetSessionToken');
    await act('disableKey', ofKey());
    expect([world.key.id, session].map((id) => world.sim.world.canUse(id))).toEqual([false, true]);
    await act('denyAll', ofKey());
    expect(world.sim.world.canUse(session)).toBe(false);

    world.advance(60_000);
    const issued = await act('issueKey', { where, sink });
    const id = world.sim.world.secretValue(ACCOUNT, SECRET_NAME)?.accessKeyId ?? '';
    expect(issued).toMatchObject({ keyId: id, sink: `Secrets Manager ${SECRET_NAME}` });
    expect(await act('newKeyLive', { id, where })).toMatchObject({ state: 'dead' });
    await act('narrowDeny', { where });
    expect(await act('newKeyLive', { id, where })).toMatchObject({ state: 'live' });
    expect([id, session].map((each) => world.sim.world.canUse(each))).toEqual([true, false]);
  });

  it('narrowing the deny can be taken back to the deny of everything', async () => {
    await start();
    await act('denyAll', ofKey());
    const narrow = operation('narrowDeny');
    if (narrow.effect !== 'reversible') throw new Error('narrowDeny is reversible');
    const ctx = contextOf(world);
    const before = await narrow.before(ctx, { where });
    await narrow.run(ctx, { where }, before);
    expect(world.sim.world.canUse(world.key.id)).toBe(true);
    await narrow.undo(ctx, { where }, before);
    expect(world.sim.world.canUse(world.key.id)).toBe(false);
  });

  it('with the secret at hand, believes STS rather than IAM until the change has reached it', async () => {
    await start({ propagationMs: 4_000 });
    const withSecret = { id: world.key.id, where, secret: `sealed:${world.key.id}` };
    await act('disableKey', ofKey());
    expect(await act('liveness', ofKey())).toMatchObject({ state: 'dead' });
    expect(await act('liveness', withSecret)).toMatchObject({ state: 'live' });
    world.advance(4_000);
    expect(await act('liveness', withSecret)).toMatchObject({
      state: 'dead',
      because: expect.stringContaining('STS refuses'),
    });
  });

  it('does not take a wrong or destroyed secret for a dead key', async () => {
    await start({ secret: async () => 'not the secret' });
    const withSecret = { id: world.key.id, where, secret: `sealed:${world.key.id}` };
    expect(await act('liveness', withSecret)).toMatchObject({ state: 'live', because: expect.stringContaining('IAM') });
    await world.close();
    await start();
    expect(await act('liveness', { ...withSecret, secret: 'sealed:gone' })).toMatchObject({ state: 'live' });
  });

  it('revokes the sessions of a role that are out, not those to come, and refuses service-linked roles', async () => {
    await start();
    const stolen = assume(world.key.id, ROLE);
    world.advance(1_000);
    await act('revokeRoleSessions', { where: { account: ACCOUNT, role: ROLE } });
    world.advance(1_000);
    const rightful = assume(world.key.id, ROLE);
    expect([stolen, rightful].map((id) => world.sim.world.canUse(id))).toEqual([false, true]);
    const since = (when: Date) =>
      act('sessionLiveness', { where: { account: ACCOUNT, role: ROLE }, since: when.toISOString() });
    expect(await since(new Date(world.now().getTime() - 1_000))).toMatchObject({ state: 'dead' });
    expect(await since(world.now())).toMatchObject({ state: 'live', because: expect.stringContaining('earlier') });

    world.sim.world.addRole(ACCOUNT, 'AWSServiceRoleForX', { path: '/aws-service-role/x.amazonaws.com/' });
    const linked = { where: { account: ACCOUNT, role: 'AWSServiceRoleForX' } };
    await expect(act('revokeRoleSessions', linked)).rejects.toMatchObject({ code: 'invalid' });
  });
});

describe('the evidence on an AWS key', () => {
  it('counts what the key did and keeps no token of the sessions that it opened', async () => {
    await start();
    assume(world.key.id, ROLE);
    for (let i = 0; i < 70; i += 1)
      world.sim.world.perform({ keyId: world.key.id, service: 's3', action: 'ListBuckets', ip: '203.0.113.7' });
    const activity = await act('recentActivity', ofKey());
    expect(activity).toMatchObject({
      complete: true,
      events: 71,
      names: { ListBuckets: 70, AssumeRole: 1 },
      addresses: { '203.0.113.7': 71 },
      errors: {},
    });
    expect(JSON.stringify(activity).length).toBeLessThan(20_000);
    for (const secret of world.secrets()) expect(JSON.stringify(activity)).not.toContain(secret);
  });

  it('follows the roles that a session of the key assumed, and tells those in other accounts apart', async () => {
    await start();
    world.sim.world.addAccount('210987654321');
    world.sim.world.addRole('210987654321', 'partner', { attached: ['AdministratorAccess'] });
    world.sim.world.addRole(ACCOUNT, 'second', { attached: ['AdministratorAccess'] });
    intrude(world.key.id, 'GetFederationToken', { Name: 'x' });
    assume(world.key.id, 'partner', '210987654321');
    assume(assume(world.key.id, ROLE), 'second');
    expect(await act('sessionsOpened', ofKey(), { patienceMs: 20_000 })).toEqual({
      known: true,
      federationSessions: 1,
      roles: [
        { account: ACCOUNT, role: ROLE },
        { account: ACCOUNT, role: 'second' },
      ],
      elsewhere: [{ account: '210987654321', role: 'partner' }],
    });
  });

  it('is silent only while nothing succeeds', async () => {
    await start();
    const input = { id: world.key.id, where, span: '30m' };
    world.sim.world.perform({ keyId: world.key.id, service: 's3', action: 'ListBuckets' });
    expect(await act('quiet', input)).toMatchObject({ state: 'live' });
    world.advance(31 * 60_000);
    await act('denyAll', ofKey());
    expect(() => world.sim.world.perform({ keyId: world.key.id, service: 's3', action: 'ListBuckets' })).toThrow();
    expect(await act('quiet', input)).toMatchObject({ state: 'dead' });
  });
});

describe('issuing a new AWS key', () => {
  it('removes the key of an attempt that died before the sink had it, because nobody knows its secret', async () => {
    await start();
    const issue = operation('issueKey');
    if (issue.effect !== 'reversible') throw new Error('issueKey is reversible');
    const input = { where, sink };
    const before = await issue.before(contextOf(world), input);
    world.faults.inject('CreateAccessKey', 'drop-after');
    await expect(issue.run(contextOf(world), input, before)).rejects.toMatchObject({ code: 'unavailable' });
    const orphan = world.sim.world.keys(ACCOUNT, USER).find(({ id }) => id !== world.key.id);
    expect(orphan).toBeDefined();
    await issue.run(contextOf(world), input, before);
    const ids = world.sim.world.keys(ACCOUNT, USER).map(({ id }) => id);
    expect(ids).toEqual([world.key.id, world.sim.world.secretValue(ACCOUNT, SECRET_NAME)?.accessKeyId]);
    expect(ids).not.toContain(orphan?.id);
  });

  it('leaves no key behind when the sink refuses it', async () => {
    await start();
    world.faults.inject('PutSecretValue', 'deny');
    await expect(act('issueKey', { where, sink })).rejects.toMatchObject({ code: 'denied' });
    expect(world.sim.world.keys(ACCOUNT, USER).map(({ id }) => id)).toEqual([world.key.id]);
  });

  it('says what to do when the user has two keys already', async () => {
    await start();
    world.sim.world.addKey(ACCOUNT, USER);
    await expect(act('issueKey', { where, sink })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('Delete the one that nothing uses'),
    });
  });

  it('does not touch a key that someone else made meanwhile and uses', async () => {
    await start();
    const issue = operation('issueKey');
    if (issue.effect !== 'reversible') throw new Error('issueKey is reversible');
    const before = await issue.before(contextOf(world), { where, sink });
    const theirs = world.sim.world.addKey(ACCOUNT, USER);
    world.sim.world.perform({ keyId: theirs.id, service: 's3', action: 'ListBuckets' });
    await expect(issue.run(contextOf(world), { where, sink }, before)).rejects.toMatchObject({ code: 'conflict' });
    expect(world.sim.world.keys(ACCOUNT, USER).map(({ id }) => id)).toContain(theirs.id);
  });

  it('refuses a sink that is not described rightly, and a secret that is not a JSON object, before any key is made', async () => {
    await start();
    await expect(act('issueKey', { where, sink: { kind: 'aws.secrets-manager' } })).rejects.toMatchObject({
      code: 'invalid',
    });
    await expect(act('issueKey', { where, sink: { ...sink, secretId: 'none' } })).rejects.toMatchObject({
      code: 'missing',
    });
    expect(world.sim.world.keys(ACCOUNT, USER)).toHaveLength(1);
  });
});
