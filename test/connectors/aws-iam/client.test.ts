import { readFile } from 'node:fs/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { awsIam } from '../../../connectors/aws-iam/index.ts';
import { policyDocument } from '../../../connectors/aws-iam/policies.ts';
import { Failure } from '../../../src/core/failure.ts';
import type { Json } from '../../../src/core/json.ts';
import { type ContextOptions, contextOf } from '../../connector.suite.ts';
import { ACCOUNT, type AwsTestWorld, openAws, ROLE, SECRET_NAME, sink, USER, where } from './world.ts';

let world: AwsTestWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const ofKey = (given: AwsTestWorld): Json => ({ id: given.key.id, where });
/** Reads `before` and runs; what the engine does of a step without trouble. */
async function act(given: AwsTestWorld, name: string, input: Json, options?: ContextOptions): Promise<Json> {
  const operation = given.connector.operations.get(`aws-iam.${name}`);
  if (!operation) throw new Error(name);
  const ctx = contextOf(given, options);
  if (operation.effect === 'observe') return operation.run(ctx, input);
  return operation.run(ctx, input, await operation.before(ctx, input));
}

describe('the AWS settings', () => {
  const { configured, settings } = awsIam.connector;

  it('are there when someone meant them, not when a container merely has a region', () => {
    expect(configured({ AWS_REGION: 'us-east-1' })).toBe(false);
    expect(configured({ AWS_REGION: 'us-east-1', AWS_ENDPOINT_URL: 'http://127.0.0.1' })).toBe(true);
    expect(configured({ TOURNIQUET_AWS_ACCOUNTS: ACCOUNT })).toBe(true);
  });

  it('are refused by name when they are half there', () => {
    const wrong = settings.safeParse({ AWS_ACCESS_KEY_ID: 'x', TOURNIQUET_AWS_ACCOUNTS: '12' });
    expect(wrong.error?.issues.map(({ path }) => path.join()).sort()).toEqual([
      'AWS_REGION',
      'TOURNIQUET_AWS_ACCOUNTS',
    ]);
    const half = settings.safeParse({ AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x' });
    expect(half.error?.issues).toMatchObject([{ path: ['AWS_SECRET_ACCESS_KEY'] }]);
  });
});

describe('the AWS client', () => {
  it('reads nothing of the process’s environment when everything is given', async () => {
    world = await openAws();
    const read: string[] = [];
    const real = process.env;
    process.env = new Proxy(real, {
      get: (target, name) => {
        if (typeof name === 'string' && /^(AWS_|HOME$|USERPROFILE$)/.test(name)) read.push(name);
        return Reflect.get(target, name);
      },
    });
    try {
      await act(world, 'disableKey', ofKey(world));
      await act(world, 'recentActivity', ofKey(world));
      await act(world, 'issueKey', { where, sink });
      await act(world, 'liveness', { id: world.key.id, where, secret: `sealed:${world.key.id}` });
    } finally {
      process.env = real;
    }
    // The SDK's switches for its own warnings, user agent and trace header; no credential or address comes from them.
    expect(
      read.filter(
        (name) =>
          !/^AWS_(LAMBDA_FUNCTION_NAME|EXECUTION_ENV|SDK_JS_.*_DISABLED|ENABLE_DEFAULT_SOCKET_TIMEOUT_2026)$/.test(
            name,
          ),
      ),
    ).toEqual([]);
  });

  it('asks before every request whether it may go there', async () => {
    const asked: string[] = [];
    const guard = (url: URL): void => {
      asked.push(url.host);
      throw new Failure('denied', 'A drill talks to its simulators only.');
    };
    world = await openAws({ outside: { guard } });
    await expect(act(world, 'disableKey', ofKey(world))).rejects.toMatchObject({ code: 'denied' });
    expect(asked).toEqual([new URL(world.url).host]);
    expect(world.sim.world.account(ACCOUNT).trail).toEqual([]);
  });

  it('issues and deletes nothing without a person’s approval', async () => {
    world = await openAws();
    for (const [name, input] of [
      ['issueKey', { where, sink }],
      ['issueKeyWriteOnly', { where, sink }],
      ['deleteKey', ofKey(world)],
    ] as const)
      await expect(act(world, name, input, { approval: null })).rejects.toMatchObject({ code: 'denied' });
    expect(world.sim.world.keys(ACCOUNT, USER).map(({ id, status }) => [id, status])).toEqual([
      [world.key.id, 'Active'],
    ]);
  });

  it('does not act in an account other than the credential’s, even on a user of the same name', async () => {
    world = await openAws({ env: { TOURNIQUET_AWS_ACCOUNTS: `${ACCOUNT},210987654321` } });
    const input = { id: world.key.id, where: { account: '210987654321', user: USER } };
    await expect(act(world, 'denyAll', input)).rejects.toMatchObject({ code: 'denied' });
    expect(world.sim.world.canUse(world.key.id)).toBe(true);
  });

  it('contains and changes with the two least-privilege roles that its policy documents describe', async () => {
    const role = (capacity: string): string => `arn:aws:iam::{account}:role/tourniquet-${capacity}`;
    world = await openAws({
      env: { TOURNIQUET_AWS_CONTAIN_ROLE_ARN: role('contain'), TOURNIQUET_AWS_CHANGE_ROLE_ARN: role('change') },
    });
    const { operations } = awsIam.connector;
    for (const capacity of ['contain', 'change'] as const) {
      const document = JSON.stringify(policyDocument(capacity, operations, { account: ACCOUNT, secrets: ['*'] }));
      world.sim.world.addRole(ACCOUNT, `tourniquet-${capacity}`, { policies: { least: document } });
    }
    for (const name of ['lastUsed', 'keysOf', 'permissions', 'recentActivity', 'sessionsOpened', 'liveness'])
      await act(world, name, ofKey(world));
    for (const name of ['denyAll', 'disableKey', 'narrowDeny', 'deleteKey']) await act(world, name, ofKey(world));
    for (const name of ['roleFacts', 'revokeRoleSessions'])
      await act(world, name, { where: { account: ACCOUNT, role: ROLE } });
    await act(world, 'issueKey', { where, sink });
    expect(world.sim.world.secretValue(ACCOUNT, SECRET_NAME)).toMatchObject({ database: 'orders' });

    const checks = await world.connector.doctor(contextOf(world));
    expect(checks.filter(({ state }) => state !== 'ok').map(({ name }) => name)).toEqual(['own credentials']);
    expect(checks).toContainEqual(expect.objectContaining({ name: 'iam:CreateAccessKey', state: 'ok' }));
    expect(checks).toContainEqual(expect.objectContaining({ name: 'own credentials', state: 'warning' }));
  });

  it('assumes its role again before the session runs out', async () => {
    world = await openAws({ env: { TOURNIQUET_AWS_CONTAIN_ROLE_ARN: `arn:aws:iam::${ACCOUNT}:role/contain` } });
    world.sim.world.addRole(ACCOUNT, 'contain', { attached: ['AdministratorAccess'] });
    const assumed = (): number =>
      world?.sim.world.account(ACCOUNT).trail.filter(({ eventName }) => eventName === 'AssumeRole').length ?? 0;
    await act(world, 'lastUsed', ofKey(world));
    await act(world, 'keysOf', ofKey(world));
    expect(assumed()).toBe(1);
    world.advance(11 * 60_000);
    await act(world, 'lastUsed', ofKey(world));
    expect(assumed()).toBe(2);
  });

  it('looks into CloudTrail both where it is and where global services are, and counts an event once', async () => {
    world = await openAws({ env: { AWS_REGION: 'eu-central-1' } });
    world.sim.world.perform({ keyId: world.key.id, service: 's3', action: 'ListBuckets' });
    expect(await act(world, 'recentActivity', ofKey(world))).toMatchObject({ events: 1, complete: true });
    const regions = world.sim.world
      .account(ACCOUNT)
      .trail.filter(({ eventName }) => eventName === 'LookupEvents')
      .map(({ awsRegion }) => awsRegion);
    expect(regions).toEqual(['eu-central-1', 'us-east-1']);
  });

  it('doctor says so when AWS does not accept the bot', async () => {
    world = await openAws({ env: { AWS_SECRET_ACCESS_KEY: 'wrong' } });
    const checks = await world.connector.doctor(contextOf(world));
    expect(checks).toMatchObject([
      { name: 'identity', state: 'missing', detail: expect.stringContaining('own credentials') },
    ]);
  });

  it('documents exactly the policies that it needs', async () => {
    const readme = await readFile(new URL('../../../connectors/aws-iam/README.md', import.meta.url), 'utf8');
    const secrets = ['arn:aws:secretsmanager:us-east-1:123456789012:secret:prod/deploy-bot-??????'];
    const documented = [...readme.matchAll(/```json\n([\s\S]+?)```/g)].map(([, text]) => JSON.parse(text ?? ''));
    expect(documented).toEqual(
      (['contain', 'change'] as const).map((capacity) =>
        policyDocument(capacity, awsIam.connector.operations, { account: ACCOUNT, secrets }),
      ),
    );
  });

  it('doctor names what is missing and what is too much', async () => {
    world = await openAws({ env: { TOURNIQUET_AWS_CONTAIN_ROLE_ARN: `arn:aws:iam::${ACCOUNT}:role/poor` } });
    const Statement = [{ Effect: 'Allow', Action: ['iam:Get*', 'iam:List*', 'iam:Simulate*', 'iam:CreateUser'] }];
    world.sim.world.addRole(ACCOUNT, 'poor', { policies: { some: JSON.stringify({ Statement }) } });
    const checks = await world.connector.doctor(contextOf(world));
    expect(checks).toContainEqual(expect.objectContaining({ name: 'iam:UpdateAccessKey', state: 'missing' }));
    expect(checks).toContainEqual(expect.objectContaining({ name: 'iam:CreateUser', state: 'too-much' }));
    expect(checks).toContainEqual(expect.objectContaining({ name: 'role to change', state: 'warning' }));
  });
});
