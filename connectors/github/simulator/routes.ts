import sodium from 'libsodium-wrappers';
import { z } from 'zod';
import { publicPart } from '../ssh-key.ts';
import { type Answer, authorize, type Call, notFound, paged, Refused } from './call.ts';
import {
  appShape,
  dated,
  deployKeyShape,
  fullRepositoryShape,
  installationShape,
  organisationShape,
  placeShape,
  profileShape,
  repositoryShape,
  wholeAlertShape,
} from './shapes.ts';
import { type Alert, type Installation, keyOfRepository, type Repository, type Token } from './state.ts';
import type { GithubWorld } from './world.ts';

/** By GitHub's own name of the action, which is also how faults are injected. */
export type Routes = Readonly<Record<string, (call: Call) => Answer>>;

const revocation = z.object({ credentials: z.array(z.string()).min(1).max(1_000) });
const newKey = z.object({ title: z.string().default(''), key: z.string(), read_only: z.boolean().default(false) });
const newSecret = z.object({ encrypted_value: z.base64(), key_id: z.string() });
const alertChange = z.object({
  state: z.enum(['open', 'resolved']),
  resolution: z.enum(['false_positive', 'wont_fix', 'revoked', 'used_in_tests']).nullish(),
  resolution_comment: z.string().nullish(),
});
const parse = <T>(schema: z.ZodType<T>, body: unknown): T => {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw new Refused(422, 'Validation Failed');
  return parsed.data;
};

/** The endpoints that the connector uses, over `world`. Revoked tokens die `propagationMs` after GitHub accepted that. */
export function routes(world: GithubWorld, propagationMs: number): Routes {
  const later = () => new Date(world.now().getTime() + propagationMs);
  const inRepository = (call: Call, needs: string): Repository => {
    const { owner = '', repo = '' } = call.path;
    return authorize(call.caller, world.state.repositories.get(keyOfRepository(owner, repo)), needs);
  };
  const asApp = ({ caller }: Call): void => {
    if (caller.is !== 'app') throw new Refused(401, 'A JSON web token could not be decoded');
  };
  const asUser = ({ caller }: Call): Token => {
    if (caller.is !== 'token') throw new Refused(401, 'Requires authentication');
    if (caller.installation !== null) throw new Refused(403, 'Resource not accessible by integration');
    return caller.token;
  };
  const asInstallation = ({ caller }: Call): Installation => {
    if (caller.is !== 'token' || caller.installation === null)
      throw new Refused(
        403,
        'You must authenticate with an installation access token in order to list repositories for an installation.',
      );
    return caller.installation;
  };
  const installationIn = (call: Call): Installation => {
    asApp(call);
    const found = world.state.installations.get(Number(call.path.installation_id));
    if (found === undefined) throw notFound();
    return found;
  };
  const alertIn = (call: Call, needs: string): { repository: Repository; alert: Alert } => {
    const repository = inRepository(call, needs);
    const alert = repository.alerts.get(Number(call.path.alert_number));
    if (alert === undefined) throw notFound();
    return { repository, alert };
  };
  const ownedBy = (owner: string) =>
    [...world.state.repositories.values()].filter((repository) => repository.owner === owner);
  /** One box for each repository, from its id: the private half stays here and opens what is written. */
  const boxOf = ({ id }: Repository) => {
    const box = sodium.crypto_box_seed_keypair(
      sodium.crypto_generichash(sodium.crypto_box_SEEDBYTES, `repository ${id}`, null),
    );
    return { ...box, id: String(568_250_167_242_549_700 + id) };
  };

  return {
    'GET /app': (call) => {
      asApp(call);
      return { status: 200, body: appShape(world) };
    },
    'GET /app/installations': (call) => {
      asApp(call);
      const { page, headers } = paged([...world.state.installations.values()], call.query);
      return { status: 200, body: page.map((each) => installationShape(world, each)), headers };
    },
    'GET /app/installations/{installation_id}': (call) => ({
      status: 200,
      body: installationShape(world, installationIn(call)),
    }),
    'POST /app/installations/{installation_id}/access_tokens': (call) => {
      const installation = installationIn(call);
      if (installation.suspendedAt !== null) throw new Refused(403, 'This installation has been suspended');
      const { token, expiresAt } = world.mint(installation);
      const body = {
        token,
        expires_at: dated(expiresAt),
        permissions: installation.permissions,
        repository_selection: 'all',
      };
      return { status: 201, body };
    },
    'PUT /app/installations/{installation_id}/suspended': (call) => {
      const installation = installationIn(call);
      installation.suspendedAt ??= world.now();
      return { status: 204 };
    },
    'DELETE /app/installations/{installation_id}/suspended': (call) => {
      installationIn(call).suspendedAt = null;
      return { status: 204 };
    },
    'GET /repos/{owner}/{repo}/installation': (call) => {
      asApp(call);
      const { owner = '', repo = '' } = call.path;
      const repository = world.state.repositories.get(keyOfRepository(owner, repo));
      const found = [...world.state.installations.values()].find((each) => each.owner === repository?.owner);
      if (found === undefined) throw notFound();
      return { status: 200, body: installationShape(world, found) };
    },

    'POST /credentials/revoke': ({ caller, body }) => {
      if (caller.is !== 'nobody') throw new Refused(403, 'This endpoint must be called without authentication');
      for (const credential of parse(revocation, body).credentials) {
        const token = world.token(credential);
        if (token !== null && token.type !== 'ghs') token.deadAt ??= later();
      }
      return { status: 202, body: {} };
    },
    'GET /installation/repositories': (call) => {
      const all = ownedBy(asInstallation(call).owner);
      const { page, headers } = paged(all, call.query);
      return { status: 200, body: { total_count: all.length, repositories: page.map(repositoryShape) }, headers };
    },
    'DELETE /installation/token': (call) => {
      asInstallation(call);
      if (call.caller.is === 'token') call.caller.token.deadAt ??= later();
      return { status: 204 };
    },

    'GET /user': (call) => {
      const { login, scopes, expiresAt } = asUser(call);
      const expiry =
        expiresAt === null
          ? {}
          : { 'github-authentication-token-expiration': `${dated(expiresAt).replace('T', ' ').replace('Z', '')} UTC` };
      return { status: 200, body: profileShape(login), headers: { 'x-oauth-scopes': scopes.join(', '), ...expiry } };
    },
    'GET /user/orgs': (call) => {
      const { page, headers } = paged(asUser(call).organisations, call.query);
      return { status: 200, body: page.map(organisationShape), headers };
    },
    'GET /user/repos': (call) => {
      const { login, organisations } = asUser(call);
      const { page, headers } = paged([login, ...organisations].flatMap(ownedBy), call.query);
      return { status: 200, body: page.map(repositoryShape), headers };
    },

    'GET /repos/{owner}/{repo}': (call) => ({
      status: 200,
      body: fullRepositoryShape(inRepository(call, 'metadata:read')),
    }),

    'GET /repos/{owner}/{repo}/secret-scanning/alerts/{alert_number}': (call) => {
      const { repository, alert } = alertIn(call, 'secret_scanning_alerts:read');
      return { status: 200, body: wholeAlertShape(repository, alert, call.query.get('hide_secret') === 'true') };
    },
    'PATCH /repos/{owner}/{repo}/secret-scanning/alerts/{alert_number}': (call) => {
      const { repository, alert } = alertIn(call, 'secret_scanning_alerts:write');
      const { state, resolution, resolution_comment } = parse(alertChange, call.body);
      if (state === 'resolved' && !resolution) throw new Refused(422, 'Validation Failed');
      alert.state = state;
      alert.resolution = state === 'open' ? null : (resolution ?? null);
      alert.comment = state === 'open' ? null : (resolution_comment ?? null);
      alert.resolvedAt = state === 'open' ? null : world.now();
      return { status: 200, body: wholeAlertShape(repository, alert, false) };
    },
    'GET /repos/{owner}/{repo}/secret-scanning/alerts/{alert_number}/locations': (call) => {
      const { repository, alert } = alertIn(call, 'secret_scanning_alerts:read');
      const { page, headers } = paged(alert.places, call.query);
      return { status: 200, body: page.map((place) => placeShape(repository, place)), headers };
    },

    'GET /repos/{owner}/{repo}/keys': (call) => {
      const repository = inRepository(call, 'administration:read');
      const { page, headers } = paged(repository.keys, call.query);
      return { status: 200, body: page.map((key) => deployKeyShape(repository, key)), headers };
    },
    'POST /repos/{owner}/{repo}/keys': (call) => {
      const repository = inRepository(call, 'administration:write');
      const { title, key, read_only: readOnly } = parse(newKey, call.body);
      const everywhere = [...world.state.repositories.values()].flatMap(({ keys }) => keys);
      if (everywhere.some((known) => publicPart(known.key) === publicPart(key)))
        throw new Refused(422, 'Validation Failed', {
          errors: [{ resource: 'PublicKey', code: 'custom', field: 'key', message: 'key is already in use' }],
        });
      const made = {
        id: world.nextId(),
        title,
        key: publicPart(key),
        readOnly,
        createdAt: world.now(),
        lastUsed: null,
      };
      repository.keys.push(made);
      return { status: 201, body: deployKeyShape(repository, made) };
    },
    'GET /repos/{owner}/{repo}/keys/{key_id}': (call) => {
      const repository = inRepository(call, 'administration:read');
      const key = repository.keys.find(({ id }) => id === Number(call.path.key_id));
      if (key === undefined) throw notFound();
      return { status: 200, body: deployKeyShape(repository, key) };
    },
    'DELETE /repos/{owner}/{repo}/keys/{key_id}': (call) => {
      const { keys } = inRepository(call, 'administration:write');
      const index = keys.findIndex(({ id }) => id === Number(call.path.key_id));
      if (index < 0) throw notFound();
      keys.splice(index, 1);
      return { status: 204 };
    },

    'GET /repos/{owner}/{repo}/actions/secrets/public-key': (call) => {
      const { id, publicKey } = boxOf(inRepository(call, 'secrets:read'));
      return { status: 200, body: { key_id: id, key: sodium.to_base64(publicKey, sodium.base64_variants.ORIGINAL) } };
    },
    'GET /repos/{owner}/{repo}/actions/secrets/{secret_name}': (call) => {
      const name = call.path.secret_name ?? '';
      const secret = inRepository(call, 'secrets:read').secrets.get(name);
      if (secret === undefined) throw notFound();
      return { status: 200, body: { name, created_at: dated(secret.createdAt), updated_at: dated(secret.updatedAt) } };
    },
    'PUT /repos/{owner}/{repo}/actions/secrets/{secret_name}': (call) => {
      const repository = inRepository(call, 'secrets:write');
      const name = call.path.secret_name ?? '';
      const { encrypted_value, key_id } = parse(newSecret, call.body);
      const box = boxOf(repository);
      if (key_id !== box.id) throw new Refused(422, 'Validation Failed');
      const sealed = sodium.from_base64(encrypted_value, sodium.base64_variants.ORIGINAL);
      const value = sodium.to_string(sodium.crypto_box_seal_open(sealed, box.publicKey, box.privateKey));
      const known = repository.secrets.get(name);
      repository.secrets.set(name, { value, createdAt: known?.createdAt ?? world.now(), updatedAt: world.now() });
      return known === undefined ? { status: 201, body: {} } : { status: 204 };
    },
  };
}
