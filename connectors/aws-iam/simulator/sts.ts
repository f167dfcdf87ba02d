import { makeAccessKeyId, readAccessKeyId } from '../access-key-id.ts';
import { type Actions, ApiError, alphanumeric, type Caller, type Env, type SimSession, text } from './state.ts';

/** STS's query API, version 2011-06-15, as far as the connector and an intruder use it. */
export const stsActions: Actions = {
  GetCallerIdentity: (_env, { account, arn, keyId }) => ({ Account: account.id, Arn: arn, UserId: keyId }),
  GetAccessKeyInfo: (_env, _caller, params) => ({
    Account: readAccessKeyId(text(params, 'AccessKeyId'))?.account ?? '',
  }),
  AssumeRole: (env, _caller, params) => {
    const arn = text(params, 'RoleArn');
    const [, , , , id = ''] = arn.split(':');
    const role = arn.split('/').at(-1) ?? '';
    const account = env.state.accounts.get(id);
    if (!account?.roles.has(role))
      throw new ApiError('AccessDenied', 403, `User is not authorized to perform: sts:AssumeRole on resource: ${arn}`);
    const name = text(params, 'RoleSessionName');
    const session = open(env, id, { role, name }, Number(params.DurationSeconds ?? 3_600));
    return {
      Credentials: credentials(session),
      AssumedRoleUser: { AssumedRoleId: `AROA${role}:${name}`, Arn: `arn:aws:sts::${id}:assumed-role/${role}/${name}` },
    };
  },
  GetSessionToken: (env, caller) => ({ Credentials: credentials(openForUser(env, caller)) }),
  GetFederationToken: (env, caller, params) => ({
    Credentials: credentials(openForUser(env, caller)),
    FederatedUser: {
      FederatedUserId: `${caller.account.id}:${text(params, 'Name')}`,
      Arn: `arn:aws:sts::${caller.account.id}:federated-user/${text(params, 'Name')}`,
    },
  }),
};

function openForUser(env: Env, { account, principal }: Caller): SimSession {
  const user = [...account.users.values()].find((candidate) => candidate === principal);
  if (!user) throw new ApiError('AccessDenied', 403, 'Cannot call this operation with session credentials');
  return open(env, account.id, { user: user.name }, 43_200);
}

function open(env: Env, account: string, of: SimSession['of'], seconds: number): SimSession {
  const issuedAt = env.now();
  const session = {
    id: makeAccessKeyId('ASIA', account, env.random),
    secret: alphanumeric(env, 30),
    token: alphanumeric(env, 90),
    account,
    of,
    issuedAt,
    expiresAt: new Date(issuedAt.getTime() + seconds * 1_000),
  };
  env.state.sessions.set(session.id, session);
  return session;
}

const credentials = ({ id, secret, token, expiresAt }: SimSession) => ({
  AccessKeyId: id,
  SecretAccessKey: secret,
  SessionToken: token,
  Expiration: expiresAt,
});
