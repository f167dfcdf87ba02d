import { afterEach, describe, expect, it } from 'vitest';
import { makeAccessKeyId, readAccessKeyId } from '../../../connectors/aws-iam/access-key-id.ts';
import type { Identified } from '../../../src/core/connector.ts';
import type { Clue } from '../../../src/core/finding.ts';
import { contextOf } from '../../connector.suite.ts';
import { ACCOUNT, type AwsTestWorld, openAws, ROLE, seeded, USER } from './world.ts';

let world: AwsTestWorld | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

async function identify(clue: Clue): Promise<Identified> {
  if (!world) throw new Error('no world is open');
  const ask = world.connector.identify.get(clue.kind);
  if (!ask) throw new Error(`nothing identifies ${clue.kind}`);
  return ask(contextOf(world), clue);
}

describe('an AWS key id', () => {
  it('tells its account without asking anyone', () => {
    // The example of https://hackingthe.cloud/aws/enumeration/get-account-id-from-keys/
    const published = ['ASIA', 'QNZGKIQY56JQ7WML'].join('');
    expect(readAccessKeyId(published)).toEqual({ prefix: 'ASIA', account: '029608264753' });
    for (const account of ['000000000001', '123456789012', '999999999999'])
      expect(readAccessKeyId(makeAccessKeyId('AKIA', account, seeded()))).toEqual({ prefix: 'AKIA', account });
  });

  it('of the old kind says nothing of its account, and what is no key id is refused', () => {
    expect(readAccessKeyId(['AKIA', 'IOSFODNN7EXAMPLE'].join(''))).toEqual({ prefix: 'AKIA', account: null });
    for (const malformed of [
      '',
      'AKIA',
      ['AKIA', '1OSFODNN7EXAMPLE'].join(''),
      `${['AKIA', 'IOSFODNN7EXAMPLE'].join('')}X`,
    ])
      expect(readAccessKeyId(malformed)).toBeNull();
  });
});

describe('identifying a leaked AWS key', () => {
  it('finds its user and status, and does not use the key', async () => {
    world = await openAws();
    expect(await identify({ kind: 'aws.access-key', id: world.key.id })).toEqual({
      is: 'credential',
      credential: { kind: 'aws.access-key', id: world.key.id, where: { account: ACCOUNT, user: USER } },
      validity: 'active',
    });
    expect(world.sim.world.keys(ACCOUNT, USER)[0]?.lastUsed).toBeNull();
  });

  it('leaves a key of someone else’s account alone, without asking AWS about it', async () => {
    world = await openAws();
    const foreign = makeAccessKeyId('AKIA', '210987654321', seeded(9));
    expect(await identify({ kind: 'aws.access-key', id: foreign })).toMatchObject({ is: 'not-ours' });
    const asked = world.sim.world.account(ACCOUNT).trail.map(({ eventName }) => eventName);
    expect(asked).toEqual(['GetCallerIdentity']);
  });

  it('says that a key which our account does not know is not ours', async () => {
    world = await openAws();
    const invented = makeAccessKeyId('AKIA', ACCOUNT, seeded(77));
    expect(await identify({ kind: 'aws.access-key', id: invented })).toMatchObject({ is: 'not-ours' });
  });

  it('gives what is not a key id, or the key of root, to people', async () => {
    world = await openAws();
    expect(await identify({ kind: 'aws.access-key', id: 'AKIA' })).toMatchObject({ is: 'unknown' });
    world.sim.world.addUser(ACCOUNT, '<root_account>');
    const root = world.sim.world.addKey(ACCOUNT, '<root_account>');
    const found = await identify({ kind: 'aws.access-key', id: root.id });
    expect(found).toMatchObject({ is: 'unknown', because: expect.stringContaining('sign in as root') });
  });

  it('follows a session’s key id to the role in CloudTrail', async () => {
    world = await openAws();
    const { Credentials } = world.sim.world.perform({
      keyId: world.key.id,
      service: 'sts',
      action: 'AssumeRole',
      params: { RoleArn: `arn:aws:iam::${ACCOUNT}:role/${ROLE}`, RoleSessionName: 'x' },
    });
    const id =
      Credentials && typeof Credentials === 'object' && 'AccessKeyId' in Credentials
        ? String(Credentials.AccessKeyId)
        : '';
    expect(await identify({ kind: 'aws.access-key', id })).toEqual({
      is: 'clue',
      clue: { kind: 'aws.role-session', id },
    });
    expect(await identify({ kind: 'aws.role-session', id })).toMatchObject({ is: 'unknown' });
    world.sim.world.perform({ keyId: id, service: 's3', action: 'ListBuckets' });
    expect(await identify({ kind: 'aws.role-session', id })).toEqual({
      is: 'credential',
      credential: { kind: 'aws.role-session', id, where: { account: ACCOUNT, role: ROLE } },
    });
  });
});
