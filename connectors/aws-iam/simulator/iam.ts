import { makeAccessKeyId } from '../access-key-id.ts';
import { evaluate, isPolicy, statementsOf } from './access.ts';
import {
  type Actions,
  ApiError,
  alphanumeric,
  type Caller,
  type Env,
  type KeyStatus,
  noSuchEntity,
  type Params,
  type SimKey,
  type SimPrincipal,
  type SimRole,
  type SimUser,
  text,
  type Value,
} from './state.ts';

/** IAM's query API, version 2010-05-08, as far as the connector uses it. */
export const iamActions: Actions = {
  ListAccessKeys: (_env, caller, params) => ({
    AccessKeyMetadata: living(userOf(caller, params)).map((key) => metadata(userOf(caller, params).name, key)),
    IsTruncated: false,
  }),
  GetAccessKeyLastUsed: (_env, { account }, params) => {
    const id = text(params, 'AccessKeyId');
    const user = [...account.users.values()].find(({ keys }) => keys.get(id)?.deleted === false);
    const key = user?.keys.get(id);
    if (!user || !key) throw noSuchEntity(`The Access Key with id ${id}`);
    const { at, service, region } = key.lastUsed ?? { at: null, service: 'N/A', region: 'N/A' };
    return {
      UserName: user.name,
      AccessKeyLastUsed: { ServiceName: service, Region: region, ...(at ? { LastUsedDate: at } : {}) },
    };
  },
  UpdateAccessKey: (env, caller, params) => {
    const key = keyOf(userOf(caller, params), params);
    changeKey(env, key, text(params, 'Status') === 'Active' ? 'Active' : 'Inactive');
    return {};
  },
  CreateAccessKey: (env, caller, params) => {
    const user = userOf(caller, params);
    if (living(user).length >= 2)
      throw new ApiError('LimitExceeded', 409, 'Cannot exceed quota for AccessKeysPerUser: 2');
    const key = newKey(env, caller.account.id);
    user.keys.set(key.id, key);
    return { AccessKey: { ...metadata(user.name, key), SecretAccessKey: key.secret } };
  },
  DeleteAccessKey: (env, caller, params) => {
    const key = keyOf(userOf(caller, params), params);
    changeKey(env, key, 'Inactive');
    key.deleted = true;
    return {};
  },
  ...inlinePolicies('User', userOf),
  ...inlinePolicies('Role', roleOf),
  ListUserPolicies: (_env, caller, params) => policyNames(userOf(caller, params)),
  ListAttachedUserPolicies: (_env, caller, params) => attachedPolicies(userOf(caller, params)),
  ListGroupsForUser: (_env, caller, params) => ({
    Groups: [...userOf(caller, params).groups].map((name) => ({
      GroupName: name,
      GroupId: `AGPA${name}`,
      Path: '/',
      Arn: `arn:aws:iam::${caller.account.id}:group/${name}`,
      CreateDate: new Date(0),
    })),
    IsTruncated: false,
  }),
  ListGroupPolicies: (_env, caller, params) => policyNames(groupOf(caller, params)),
  ListAttachedGroupPolicies: (_env, caller, params) => attachedPolicies(groupOf(caller, params)),
  GetRole: (_env, caller, params) => {
    const { name, path } = roleOf(caller, params);
    return {
      Role: {
        RoleName: name,
        RoleId: `AROA${name}`,
        Path: path,
        Arn: `arn:aws:iam::${caller.account.id}:role${path}${name}`,
        CreateDate: new Date(0),
      },
    };
  },
  SimulatePrincipalPolicy: (_env, { account }, params) => {
    const source = text(params, 'PolicySourceArn').split('/').at(-1) ?? '';
    const principal = account.users.get(source) ?? account.roles.get(source);
    if (!principal) throw noSuchEntity(source);
    const statements = statementsOf(account, principal);
    const actions = Object.entries(params).filter(([name]) => name.startsWith('ActionNames.member.'));
    return {
      EvaluationResults: actions.map(([, action]) => ({
        EvalActionName: String(action),
        EvalDecision: evaluate(statements, String(action), null),
      })),
      IsTruncated: false,
    };
  },
};

export const living = ({ keys }: SimUser): readonly SimKey[] => [...keys.values()].filter(({ deleted }) => !deleted);

export const newKey = (env: Env, account: string): SimKey => ({
  id: makeAccessKeyId('AKIA', account, env.random),
  secret: alphanumeric(env, 30),
  createdAt: env.now(),
  status: 'Active',
  deleted: false,
  lagging: null,
  lastUsed: null,
});

function changeKey(env: Env, key: SimKey, status: KeyStatus): void {
  if (key.status === status) return;
  key.lagging = { status: key.status, until: new Date(env.now().getTime() + env.propagationMs) };
  key.status = status;
}

const metadata = (user: string, { id, status, createdAt }: SimKey): { readonly [key: string]: Value } => ({
  UserName: user,
  AccessKeyId: id,
  Status: status,
  CreateDate: createdAt,
});

function userOf({ account }: Caller, params: Params): SimUser {
  const name = text(params, 'UserName');
  const user = account.users.get(name);
  if (!user) throw noSuchEntity(`The user with name ${name}`);
  return user;
}

function roleOf({ account }: Caller, params: Params): SimRole {
  const name = text(params, 'RoleName');
  const role = account.roles.get(name);
  if (!role) throw noSuchEntity(`The role with name ${name}`);
  return role;
}

function groupOf({ account }: Caller, params: Params): SimPrincipal {
  const name = text(params, 'GroupName');
  const group = account.groups.get(name);
  if (!group) throw noSuchEntity(`The group with name ${name}`);
  return group;
}

function keyOf(user: SimUser, params: Params): SimKey {
  const id = text(params, 'AccessKeyId');
  const key = user.keys.get(id);
  if (!key || key.deleted) throw noSuchEntity(`The Access Key with id ${id}`);
  return key;
}

const policyNames = ({ policies }: SimPrincipal) => ({ PolicyNames: [...policies.keys()], IsTruncated: false });
const attachedPolicies = ({ attached }: SimPrincipal) => ({
  AttachedPolicies: [...attached].map((name) => ({ PolicyName: name, PolicyArn: `arn:aws:iam::aws:policy/${name}` })),
  IsTruncated: false,
});

function inlinePolicies(
  kind: 'User' | 'Role',
  owner: (caller: Caller, params: Params) => SimPrincipal & { name: string },
): Actions {
  return {
    [`Put${kind}Policy`]: (_env, caller, params) => {
      const given = owner(caller, params);
      if ('path' in given && String(given.path).startsWith('/aws-service-role/'))
        throw new ApiError(
          'UnmodifiableEntity',
          400,
          `Cannot perform the operation on the protected role '${given.name}'`,
        );
      const document = text(params, 'PolicyDocument');
      if (!isPolicy(document)) throw new ApiError('MalformedPolicyDocument', 400, 'Syntax errors in policy.');
      given.policies.set(text(params, 'PolicyName'), document);
      return {};
    },
    [`Get${kind}Policy`]: (_env, caller, params) => {
      const { name, policies } = owner(caller, params);
      const policy = text(params, 'PolicyName');
      const document = policies.get(policy);
      if (document === undefined) throw noSuchEntity(`The policy with name ${policy}`);
      return { [`${kind}Name`]: name, PolicyName: policy, PolicyDocument: encodeURIComponent(document) };
    },
    [`Delete${kind}Policy`]: (_env, caller, params) => {
      const policy = text(params, 'PolicyName');
      if (!owner(caller, params).policies.delete(policy)) throw noSuchEntity(`The policy with name ${policy}`);
      return {};
    },
  };
}
