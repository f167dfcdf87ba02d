import type { Json } from '../../../src/core/json.ts';
import { describeConnector } from '../../connector.suite.ts';
import { ACCOUNT, type AwsTestWorld, openAws, ROLE, SECRET_NAME, sink, USER, where } from './world.ts';

const ofKey = ({ key }: AwsTestWorld): Json => ({ id: key.id, where });
const ofRole = (): Json => ({ where: { account: ACCOUNT, role: ROLE } });
const ofUser = { user: USER };
const policy = (world: AwsTestWorld, name: string): string | null => world.sim.world.policy(ACCOUNT, ofUser, name);
const rolePolicy = (world: AwsTestWorld): string | null =>
  world.sim.world.policy(ACCOUNT, { role: ROLE }, 'AWSRevokeOlderSessions');
const keys = (world: AwsTestWorld) => world.sim.world.keys(ACCOUNT, USER).map(({ id, status }) => ({ id, status }));
/** The new key works and its users find it where they look. */
const issued = (world: AwsTestWorld): boolean => {
  const held = world.sim.world.secretValue(ACCOUNT, SECRET_NAME);
  const key = world.sim.world.keys(ACCOUNT, USER).find(({ id }) => id === held?.accessKeyId);
  return key !== undefined && key.secret === held?.secretAccessKey && held.database === 'orders';
};
/** What is gone already needs no containing. */
const goneIsDone = { missing: ['success'] } as const;

describeConnector('aws-iam', {
  open: () => openAws(),
  cases: [
    {
      operation: 'aws-iam.lastUsed',
      effect: 'observe',
      action: 'GetAccessKeyLastUsed',
      input: ofKey,
      gives: () => ({ user: USER, at: null }),
    },
    {
      operation: 'aws-iam.keysOf',
      effect: 'observe',
      action: 'ListAccessKeys',
      input: ofKey,
      gives: ({ key }) => ({ keys: [{ id: key.id, status: 'Active' }] }),
    },
    {
      operation: 'aws-iam.permissions',
      effect: 'observe',
      action: 'ListAttachedUserPolicies',
      input: ofKey,
      gives: () => ({ attached: ['AdministratorAccess'], inline: [], administrator: true, quarantinedByAws: false }),
    },
    {
      operation: 'aws-iam.recentActivity',
      effect: 'observe',
      action: 'LookupEvents',
      input: ofKey,
      gives: () => ({ complete: true, events: 0, first: null }),
    },
    {
      operation: 'aws-iam.sessionsOpened',
      effect: 'observe',
      action: 'LookupEvents',
      input: ofKey,
      gives: () => ({ known: true, roles: [], federationSessions: 0 }),
    },
    {
      operation: 'aws-iam.quiet',
      effect: 'observe',
      action: 'LookupEvents',
      input: ({ key }) => ({ id: key.id, where, span: '30m' }),
      gives: () => ({ state: 'dead' }),
    },
    {
      operation: 'aws-iam.liveness',
      effect: 'observe',
      action: 'ListAccessKeys',
      input: ofKey,
      gives: () => ({ state: 'live' }),
      codes: goneIsDone,
    },
    {
      operation: 'aws-iam.newKeyLive',
      effect: 'observe',
      action: 'ListAccessKeys',
      input: ofKey,
      gives: () => ({ state: 'live' }),
      codes: goneIsDone,
    },
    {
      operation: 'aws-iam.roleFacts',
      effect: 'observe',
      action: 'GetRole',
      input: ofRole,
      gives: () => ({ path: '/' }),
    },
    {
      operation: 'aws-iam.userDenied',
      effect: 'observe',
      action: 'GetUserPolicy',
      input: ofKey,
      gives: () => ({ state: 'live' }),
      codes: goneIsDone,
    },
    {
      operation: 'aws-iam.sessionLiveness',
      effect: 'observe',
      action: 'GetRole',
      input: ofRole,
      gives: () => ({ state: 'live' }),
      codes: goneIsDone,
    },
    {
      operation: 'aws-iam.denyAll',
      effect: 'reversible',
      action: 'PutUserPolicy',
      probeAction: 'GetUserPolicy',
      undoAction: 'DeleteUserPolicy',
      input: ofKey,
      effectVisible: ({ sim, key }) => !sim.world.canUse(key.id),
      state: (world) => policy(world, 'TourniquetDenyAll'),
      codes: goneIsDone,
    },
    {
      operation: 'aws-iam.narrowDeny',
      effect: 'reversible',
      action: 'PutUserPolicy',
      probeAction: 'GetUserPolicy',
      undoAction: 'DeleteUserPolicy',
      input: ofKey,
      effectVisible: (world) => policy(world, 'TourniquetDenyOldSessions') !== null,
      state: (world) => [policy(world, 'TourniquetDenyAll'), policy(world, 'TourniquetDenyOldSessions')],
    },
    {
      operation: 'aws-iam.disableKey',
      effect: 'reversible',
      action: 'UpdateAccessKey',
      probeAction: 'ListAccessKeys',
      undoAction: 'UpdateAccessKey',
      input: ofKey,
      effectVisible: (world) => keys(world)[0]?.status === 'Inactive',
      state: keys,
      codes: goneIsDone,
    },
    {
      operation: 'aws-iam.revokeRoleSessions',
      effect: 'reversible',
      action: 'PutRolePolicy',
      probeAction: 'GetRolePolicy',
      undoAction: 'DeleteRolePolicy',
      input: ofRole,
      effectVisible: (world) => rolePolicy(world) !== null,
      state: rolePolicy,
      codes: goneIsDone,
    },
    {
      operation: 'aws-iam.issueKey',
      effect: 'reversible',
      action: 'CreateAccessKey',
      probeAction: 'DescribeSecret',
      undoAction: 'DeleteAccessKey',
      input: () => ({ where, sink }),
      effectVisible: issued,
      state: (world) => [keys(world), world.sim.world.secretValue(ACCOUNT, SECRET_NAME)],
    },
    {
      operation: 'aws-iam.issueKeyWriteOnly',
      effect: 'irreversible',
      action: 'PutSecretValue',
      probeAction: 'DescribeSecret',
      input: () => ({ where, sink }),
      effectVisible: issued,
      state: keys,
    },
    {
      operation: 'aws-iam.deleteKey',
      effect: 'irreversible',
      action: 'DeleteAccessKey',
      probeAction: 'ListAccessKeys',
      input: ofKey,
      effectVisible: (world) => keys(world).length === 0,
      state: keys,
      codes: goneIsDone,
    },
  ],
});
