import { CreateAccessKeyCommand, CreateRoleCommand, CreateUserCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { beforeAll, describe, expect, it } from 'vitest';
import { readAccessKeyId } from '../../../connectors/aws-iam/access-key-id.ts';
import { awsIam } from '../../../connectors/aws-iam/index.ts';
import { Failure } from '../../../src/core/failure.ts';
import type { Json } from '../../../src/core/json.ts';
import { Faults } from '../../../src/core/simulator.ts';
import { contextOf, type TestWorld } from '../../connector.suite.ts';

/**
 * Our simulator must agree with something that we did not write. `npm run e2e` starts a moto server, points AWS_CONFORMANCE_ENDPOINT at
 * it, and tries every operation on it here.
 */
const endpoint = process.env.AWS_CONFORMANCE_ENDPOINT;

describe('the AWS connector on an AWS that is not ours', () => {
  const credentials = { accessKeyId: 'conformance', secretAccessKey: 'conformance' };
  const config = { region: 'us-east-1', credentials, ...(endpoint === undefined ? {} : { endpoint }) };
  const run = `${Date.now().toString(36)}-${process.pid}`;
  const user = `user-${run}`;
  const role = `role-${run}`;
  const secretId = `secret-${run}`;
  let account = '';
  let id = '';
  let world: TestWorld;

  beforeAll(async () => {
    const iam = new IAMClient(config);
    account = (await new STSClient(config).send(new GetCallerIdentityCommand({}))).Account ?? '';
    await iam.send(new CreateUserCommand({ UserName: user }));
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [] });
    await iam.send(new CreateRoleCommand({ RoleName: role, AssumeRolePolicyDocument }));
    const SecretString = JSON.stringify({ database: 'orders', accessKeyId: 'old' });
    // One secret for each issue: moto 5.2 has two versions AWSCURRENT when a put follows a rollback.
    for (const Name of [secretId, `${secretId}-2`])
      await new SecretsManagerClient(config).send(new CreateSecretCommand({ Name, SecretString }));
    id = (await iam.send(new CreateAccessKeyCommand({ UserName: user }))).AccessKey?.AccessKeyId ?? '';
    const env = {
      AWS_REGION: 'us-east-1',
      AWS_ENDPOINT_URL: endpoint,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
    const now = (): Date => new Date();
    world = {
      connector: awsIam.connector.open(env, { now, guard: () => {} }),
      faults: new Faults(),
      now,
      secrets: () => [],
      close: async () => {},
    };
  });

  const ofKey = (): Json => ({ id, where: { account, user } });
  const ofUser = (): Json => ({ where: { account, user } });
  const ofRole = (): Json => ({ where: { account, role } });
  const into = (secret: string): Json => ({
    where: { account, user },
    sink: { kind: 'aws.secrets-manager', secretId: secret },
  });

  async function observe(name: string, input: Json): Promise<Json> {
    const operation = world.connector.operations.get(`aws-iam.${name}`);
    if (operation?.effect !== 'observe') throw new Error(name);
    return operation.run(contextOf(world), input);
  }

  /** Does it twice, takes it back twice where it can, and asks the probe each time. */
  async function thereAndBack(name: string, input: Json): Promise<void> {
    const operation = world.connector.operations.get(`aws-iam.${name}`);
    if (!operation || operation.effect === 'observe') throw new Error(name);
    const ctx = contextOf(world, { idempotencyKey: `${run}-${name}` });
    const before = await operation.before(ctx, input);
    expect(await operation.probe(ctx, input, before)).toMatchObject({ state: 'not-done' });
    const first = await operation.run(ctx, input, before);
    const out = await operation.run(ctx, input, before);
    expect(withoutTime(out)).toEqual(withoutTime(first)); // a second revocation of sessions reaches further, to its own time
    expect(await operation.probe(ctx, input, before)).toEqual({ state: 'done', out });
    if (operation.effect === 'irreversible') return;
    await operation.undo(ctx, input, before);
    await operation.undo(ctx, input, before);
    expect(await operation.probe(ctx, input, before)).toMatchObject({ state: 'not-done' });
    expect(await operation.before(ctx, input)).toMatchObject(withoutTime(before));
  }
  const withoutTime = (before: Json): object =>
    JSON.parse(JSON.stringify({ ...Object(before), at: undefined, since: undefined }));

  it('makes key ids that say which account they are of, as ours do', () => {
    expect(readAccessKeyId(id)).toEqual({ prefix: 'AKIA', account });
  });

  it('identifies the key', async () => {
    const identify = world.connector.identify.get('aws.access-key');
    expect(await identify?.(contextOf(world), { kind: 'aws.access-key', id })).toMatchObject({
      is: 'credential',
      credential: { where: { account, user } },
    });
  });

  it('answers what we observe', async () => {
    expect(await observe('lastUsed', ofKey())).toMatchObject({ user });
    expect(await observe('keysOf', ofKey())).toMatchObject({ keys: [{ id, status: 'Active' }] });
    expect(await observe('permissions', ofKey())).toMatchObject({ attached: [], administrator: false });
    expect(await observe('liveness', ofKey())).toMatchObject({ state: 'live' });
    expect(await observe('newKeyLive', ofKey())).toMatchObject({ state: 'live' });
    expect(await observe('roleFacts', ofRole())).toMatchObject({ path: '/' });
    expect(await observe('userDenied', ofKey())).toMatchObject({ state: 'live' });
    expect(await observe('sessionLiveness', ofRole())).toMatchObject({ state: 'live' });
  });

  it('answers what CloudTrail knows, or fails in a way that a runbook goes on from', async () => {
    for (const name of ['recentActivity', 'sessionsOpened']) {
      const asked: unknown = await observe(name, ofKey()).catch((error: unknown) => error);
      if (asked instanceof Error) expect(asked).toBeInstanceOf(Failure);
      else expect(asked).toHaveProperty(name === 'recentActivity' ? 'events' : 'roles');
    }
  });

  it('does and takes back what is reversible', async () => {
    await thereAndBack('denyAll', ofKey());
    await thereAndBack('disableKey', ofKey());
    await thereAndBack('revokeRoleSessions', ofRole());
    await thereAndBack('issueKey', into(secretId));
  });

  it('issues, narrows and deletes', async () => {
    await thereAndBack('narrowDeny', ofUser());
    await thereAndBack('issueKeyWriteOnly', into(`${secretId}-2`));
    await thereAndBack('deleteKey', ofKey());
    expect(await observe('liveness', ofKey())).toMatchObject({ state: 'dead' });
    const held = await new SecretsManagerClient(config).send(new GetSecretValueCommand({ SecretId: `${secretId}-2` }));
    expect(JSON.parse(held.SecretString ?? '{}')).toMatchObject({ database: 'orders' });
  });
});
