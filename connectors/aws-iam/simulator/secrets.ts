import { type Actions, ApiError, type Caller, type Params, type SimSecret, type SimVersion, text } from './state.ts';

/** Secrets Manager's versions and stages, as far as the sink uses them. */
export const secretsActions: Actions = {
  DescribeSecret: (_env, caller, params) => {
    const { name, versions } = secretOf(caller, params);
    const staged = [...versions.values()].filter(({ stages }) => stages.size > 0);
    return { Name: name, VersionIdsToStages: Object.fromEntries(staged.map(({ id, stages }) => [id, [...stages]])) };
  },
  GetSecretValue: (_env, caller, params) => {
    const secret = secretOf(caller, params);
    const version = current(secret);
    if (!version) throw new ApiError('ResourceNotFoundException', 400, 'Secrets Manager can’t find the value.');
    return { Name: secret.name, VersionId: version.id, SecretString: version.value };
  },
  PutSecretValue: (_env, caller, params) => {
    const secret = secretOf(caller, params);
    const id = text(params, 'ClientRequestToken');
    const value = text(params, 'SecretString');
    const there = secret.versions.get(id);
    if (there && there.value !== value)
      throw new ApiError('ResourceExistsException', 400, `A resource with the ID ${id} already exists.`);
    if (!there) putVersion(secret, id, value);
    return { Name: secret.name, VersionId: id, VersionStages: ['AWSCURRENT'] };
  },
  UpdateSecretVersionStage: (_env, caller, params) => {
    const secret = secretOf(caller, params);
    const from = params.RemoveFromVersionId;
    const holder = current(secret);
    if (holder && holder.id !== from)
      throw new ApiError('InvalidParameterException', 400, 'AWSCURRENT is attached to another version.');
    const to = params.MoveToVersionId;
    if (typeof to === 'string') {
      const version = secret.versions.get(to);
      if (!version) throw new ApiError('ResourceNotFoundException', 400, 'Secrets Manager can’t find the version.');
      promote(secret, version);
    } else holder?.stages.delete('AWSCURRENT');
    return { Name: secret.name };
  },
};

export const current = ({ versions }: SimSecret): SimVersion | undefined =>
  [...versions.values()].find(({ stages }) => stages.has('AWSCURRENT'));

export function putVersion(secret: SimSecret, id: string, value: string): void {
  const version = { id, value, stages: new Set<string>() };
  secret.versions.set(id, version);
  promote(secret, version);
}

function promote(secret: SimSecret, version: SimVersion): void {
  const before = current(secret);
  for (const { stages } of secret.versions.values()) {
    stages.delete('AWSCURRENT');
    if (before) stages.delete('AWSPREVIOUS');
  }
  if (before && before !== version) before.stages.add('AWSPREVIOUS');
  version.stages.add('AWSCURRENT');
}

function secretOf({ account }: Caller, params: Params): SimSecret {
  const id = text(params, 'SecretId');
  const secret = account.secrets.get(id.startsWith('arn:') ? (id.split(':')[6] ?? '') : id);
  if (!secret) throw new ApiError('ResourceNotFoundException', 400, 'Secrets Manager can’t find the specified secret.');
  return secret;
}
