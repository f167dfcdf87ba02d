import { z } from 'zod';
import { type Ctx, Failure, type Liveness, type SealedRef } from '#tourniquet';
import type { GithubClient, Reply } from '../client.ts';
import { noContent } from '../client.ts';
import type { Headers } from '../failures.ts';
import { checksumMatches, TOKEN_TITLES, tokenTypeOf } from '../token.ts';
import { DOCS, op } from './op.ts';

const sealed = z.templateLiteral(['sealed:', z.string()]);
const user = z.object({ login: z.string() });
const named = z.array(z.object({ login: z.string() }));
const repositories = z.array(z.object({ full_name: z.string() }));
const installationRepositories = z.object({
  total_count: z.int(),
  repositories: z.array(z.object({ name: z.string(), owner: z.object({ login: z.string() }) })),
});
const PAGE = 100;

/** Whom a token speaks for: a user, or the installation on the owner of its first repository. */
export interface Holder {
  readonly login: string | null;
  readonly repo: string | null;
  readonly repositories: number | null;
}
type Asked = { readonly liveness: Liveness; readonly holder: Holder | null; readonly headers: Headers };

/**
 * Asks GitHub with the token itself whose it is. The call may count as a use of the token.
 * Dead only on GitHub's own "Bad credentials": a proxy's 401 or a refusal for other reasons proves nothing.
 */
export async function askWith({ client, ...scope }: Ctx<GithubClient>, token: string): Promise<Asked> {
  const none = { holder: null, headers: {} };
  const type = tokenTypeOf(token);
  if (type === 'ghr') {
    const because = 'GitHub tells nobody whether a refresh token works but the app that it belongs to';
    return { liveness: { state: 'unknown', because }, ...none };
  }
  const who = { as: 'holder' as const, token };
  if (type === 'ghs') {
    const ask = { who, needs: null, answer: installationRepositories };
    const reply = await client.send(scope, ask, (rest, o) =>
      rest.apps.listReposAccessibleToInstallation({ per_page: 1, ...o }),
    );
    if (!reply.ok) return { liveness: refused(reply, token), ...none };
    const [first] = reply.data.repositories;
    const holder = {
      login: first?.owner.login ?? null,
      repo: first?.name ?? null,
      repositories: reply.data.total_count,
    };
    return { liveness: { state: 'live', because: 'GitHub lists its repositories' }, holder, headers: reply.headers };
  }
  const reply = await client.send(scope, { who, needs: null, answer: user }, (rest, o) =>
    rest.users.getAuthenticated(o),
  );
  if (!reply.ok) return { liveness: refused(reply, token), ...none };
  const holder = { login: reply.data.login, repo: null, repositories: null };
  return { liveness: { state: 'live', because: `GitHub knows it as ${holder.login}` }, holder, headers: reply.headers };
}

/** What nobody may ask in an hour; whoever is known to GitHub may ask far more. */
const ANONYMOUS_LIMIT = 60;

function refused({ status, headers, said, failure }: Reply<unknown> & { ok: false }, token: string): Liveness {
  if (status === 401 && said === 'Bad credentials') {
    const never = checksumMatches(token) === false ? '; its checksum is wrong too, so it may never have been one' : '';
    return { state: 'dead', because: `GitHub answers 401 Bad credentials${never}` };
  }
  if (status === 403 && /suspended/i.test(said)) return { state: 'dead', because: `GitHub refuses it: ${said}` };
  // Whoever holds the token can use up its rate; that must not hold up containment. GitHub checks the token before it counts.
  const usedUp = headers['x-ratelimit-remaining']?.toString() === '0';
  if (usedUp && Number(headers['x-ratelimit-limit']) > ANONYMOUS_LIMIT)
    return { state: 'live', because: 'GitHub counts its requests, and somebody has used up its rate' };
  if (failure.code === 'throttled' || failure.code === 'unavailable') throw failure;
  return { state: 'unknown', because: `GitHub answered ${status}: ${said}` };
}

const scopesOf = (headers: Headers): string[] =>
  String(headers['x-oauth-scopes'] ?? '')
    .split(',')
    .map((scope) => scope.trim())
    .filter(Boolean);

/** `2026-12-01 00:00:00 UTC`, or with an offset in place of `UTC`, as ISO 8601; null when it never expires. */
function expiryOf(headers: Headers): string | null {
  const given = headers['github-authentication-token-expiration'];
  const at = new Date(String(given ?? ''));
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

/** Up to a page of what the token reaches; null where it may not even list. */
async function reachOf({ client, ...scope }: Ctx<GithubClient>, token: string) {
  const who = { as: 'holder' as const, token };
  const orgs = await client.send(scope, { who, needs: null, answer: named }, (rest, o) =>
    rest.orgs.listForAuthenticatedUser({ per_page: PAGE, ...o }),
  );
  const repos = await client.send(scope, { who, needs: null, answer: repositories }, (rest, o) =>
    rest.repos.listForAuthenticatedUser({ per_page: PAGE, ...o }),
  );
  return {
    organisations: orgs.ok ? orgs.data.map(({ login }) => login) : null,
    repositories: repos.ok ? repos.data.length : null,
    moreRepositories: repos.ok && repos.data.length === PAGE,
  };
}

const open = (ctx: Ctx<GithubClient>, secrets: readonly SealedRef[]): Promise<readonly string[]> =>
  Promise.all(secrets.map((secret) => ctx.secret(secret)));

/** The first that lives or cannot be told; dead when all are. */
async function livenessOfAll(ctx: Ctx<GithubClient>, secrets: readonly SealedRef[]): Promise<Liveness> {
  const all: Liveness[] = [];
  for (const token of await open(ctx, secrets)) all.push((await askWith(ctx, token)).liveness);
  const dead: Liveness = { state: 'dead', because: 'GitHub accepts none of them any more' };
  return all.find(({ state }) => state === 'live') ?? all.find(({ state }) => state === 'unknown') ?? all[0] ?? dead;
}

export const tokenOperations = {
  describeToken: op.observe({
    title: 'Find out whose token it is and what it reaches',
    permissions: [],
    docs: `${DOCS.users}#get-the-authenticated-user`,
    bucket: 'read',
    input: z.object({ secret: sealed }),
    run: async (ctx, { secret }) => {
      const token = await ctx.secret(secret);
      const { liveness, holder, headers } = await askWith(ctx, token);
      const listable = liveness.state === 'live' && tokenTypeOf(token) !== 'ghs';
      const reach = listable
        ? await reachOf(ctx, token)
        : { organisations: null, repositories: holder?.repositories ?? null, moreRepositories: false };
      return {
        state: liveness.state,
        because: liveness.because,
        login: holder?.login ?? null,
        scopes: scopesOf(headers),
        expiresAt: expiryOf(headers),
        ...reach,
      };
    },
  }),

  tokenLiveness: op.observe({
    title: 'Ask GitHub whether it still accepts a token',
    permissions: [],
    docs: `${DOCS.users}#get-the-authenticated-user`,
    bucket: 'read',
    input: z.object({ secret: sealed }),
    run: async (ctx, { secret }): Promise<Liveness> => (await askWith(ctx, await ctx.secret(secret))).liveness,
  }),

  /**
   * Anyone may revoke a token that they hold, and only unauthenticated: GitHub answers 403 to whoever says who they are.
   * It answers 202 and revokes later, with no result per token; asking twice does no harm, so a probe may say "not done" of
   * a token that is about to die.
   */
  revokeTokens: op.irreversible({
    title: 'Revoke tokens for good; GitHub mails their owners',
    permissions: [],
    docs: `${DOCS.revoke}#revoke-a-list-of-credentials`,
    bucket: 'revoke',
    timeoutMs: 60_000,
    input: z.object({ secrets: z.array(sealed).min(1).max(1_000) }),
    before: async () => null,
    run: async ({ client, ...scope }, { secrets }) => {
      const credentials = [...(await open({ client, ...scope }, secrets))];
      const unfit = credentials.map(tokenTypeOf).find((type) => type === 'ghs' || type === null);
      if (unfit === 'ghs')
        throw new Failure('invalid', `GitHub does not take a ${TOKEN_TITLES.ghs} here: revoke it with itself.`);
      if (unfit === null) throw new Failure('invalid', 'One of the secrets does not have the form of a GitHub token.');
      const ask = { who: { as: 'nobody' as const }, needs: null, answer: noContent };
      await client.ask(scope, ask, (rest, o) => rest.credentials.revoke({ credentials, ...o }));
      return { accepted: credentials.length };
    },
    probe: async (ctx, { secrets }) => {
      const { state, because } = await livenessOfAll(ctx, secrets);
      if (state === 'dead') return { state: 'done', out: { accepted: secrets.length } };
      return state === 'live' ? { state: 'not-done' } : { state: 'unknown', because };
    },
  }),

  revokeInstallationToken: op.irreversible({
    title: 'Revoke an installation token, with itself',
    permissions: [],
    docs: `${DOCS.installationTokens}#revoke-an-installation-access-token`,
    bucket: 'write',
    input: z.object({ secret: sealed }),
    before: async () => null,
    run: async ({ client, ...scope }, { secret }) => {
      const token = await scope.secret(secret);
      const ask = { who: { as: 'holder' as const, token }, needs: null, answer: noContent };
      const reply = await client.send(scope, ask, (rest, o) => rest.apps.revokeInstallationAccessToken(o));
      if (!reply.ok && refused(reply, token).state !== 'dead') throw reply.failure;
      return null;
    },
    probe: async (ctx, { secret }) => {
      const { state, because } = (await askWith(ctx, await ctx.secret(secret))).liveness;
      if (state === 'dead') return { state: 'done', out: null };
      return state === 'live' ? { state: 'not-done' } : { state: 'unknown', because };
    },
  }),
};
