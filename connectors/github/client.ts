import type { KeyObject } from 'node:crypto';
import { Octokit } from '@octokit/rest';
import { z } from 'zod';
import { type Ctx, Failure, type Outside } from '#tourniquet';
import { appJwt, InstallationTokens, privateKeyFrom } from './app-auth.ts';
import { failureOf, garbled, type Headers, messageOf, silenceOf } from './failures.ts';
import { guardedFetch } from './fetch.ts';
import type { RepoRef } from './kinds.ts';
import type { Settings } from './settings.ts';

/** On whose behalf a request is made. */
export type Identity =
  /** The app itself, by its key. */
  | { readonly as: 'app' }
  /** The app's installation on the owner of this repository; or the configured token. */
  | ({ readonly as: 'installation' } & RepoRef)
  /** Whoever holds this token: the leaked one. */
  | { readonly as: 'holder'; readonly token: string }
  /** Nobody: some requests must be unauthenticated. */
  | { readonly as: 'nobody' };

export interface Ask<T> {
  readonly who: Identity;
  /** The App permission that it takes, for the message when it is refused. */
  readonly needs: string | null;
  readonly answer: z.ZodType<T>;
}
export type Answer<T> = { readonly data: T; readonly headers: Headers };
export type Reply<T> =
  | ({ readonly ok: true } & Answer<T>)
  | {
      readonly ok: false;
      readonly status: number;
      readonly headers: Headers;
      readonly said: string;
      readonly failure: Failure;
    };

type Rest = Octokit['rest'];
type CallOptions = {
  headers: { authorization?: string; 'x-github-api-version': string };
  request: { signal: AbortSignal };
};
type Call = (
  rest: Rest,
  options: CallOptions,
) => Promise<{ status: number; url: string; headers: Headers; data: unknown }>;
interface Seen {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
  readonly asked: string;
}
type Scope = Pick<Ctx<unknown>, 'signal' | 'receipt'>;

/** For what is answered with 202 or 204: the status is the answer, and a 200 from something in between is none. */
export const noContent = z.undefined();
const installationAnswer = z.object({ id: z.int() });
const tokenAnswer = z.object({ token: z.string().min(1), expires_at: z.iso.datetime({ offset: true }) });
const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

/** GitHub's REST API. One request per call: no retries and no waiting of its own, which are the engine's affair. */
export class GithubClient {
  readonly settings: Settings;
  readonly now: () => Date;
  readonly #octokit: Octokit;
  readonly #tokens: InstallationTokens;
  readonly #installations = new Map<string, number>();
  #key: KeyObject | undefined;

  constructor(settings: Settings, outside: Outside) {
    this.settings = settings;
    this.now = outside.now;
    this.#tokens = new InstallationTokens(outside.now);
    this.#octokit = new Octokit({
      baseUrl: settings.GITHUB_API_URL.replace(/\/+$/, ''),
      userAgent: 'tourniquet',
      log: silent,
      request: { fetch: guardedFetch(outside.guard), log: silent },
    });
  }

  /** Asks, and gives what GitHub answered, refusals included. Throws Failure when there was no answer, or not GitHub's. */
  async send<T>(scope: Scope, { who, needs, answer }: Ask<T>, call: Call): Promise<Reply<T>> {
    const authorization = await this.#authorization(scope, who);
    const options: CallOptions = {
      headers: { ...(authorization ? { authorization } : {}), 'x-github-api-version': '2022-11-28' },
      request: { signal: scope.signal },
    };
    const seen = await call(this.#octokit.rest, options).then(
      ({ status, url, headers, data }): Seen => ({ status, headers, body: data, asked: new URL(url).pathname }),
      (error: unknown): Seen => refusalIn(error, scope.signal),
    );
    scope.receipt(seen.headers['x-github-request-id']?.toString());
    if (seen.status >= 300) {
      if (seen.status === 401 && authorization && who.as === 'installation') this.#tokens.forget(bare(authorization));
      const failure = failureOf({ ...seen, needs }, this.now());
      return { ok: false, status: seen.status, headers: seen.headers, said: messageOf(seen.body), failure };
    }
    const parsed = answer.safeParse(seen.status === 202 || seen.status === 204 ? undefined : seen.body);
    if (!parsed.success) throw garbled(seen.asked, seen.headers);
    return { ok: true, data: parsed.data, headers: seen.headers };
  }

  /** As `send`, for those who need a yes: throws Failure on any refusal. */
  async ask<T>(scope: Scope, ask: Ask<T>, call: Call): Promise<Answer<T>> {
    const reply = await this.send(scope, ask, call);
    if (reply.ok) return reply;
    throw reply.failure;
  }

  /** As `ask`, with null where GitHub says 404. Only for callers who know by other means that they may look there. */
  async find<T>(scope: Scope, ask: Ask<T>, call: Call): Promise<T | null> {
    const reply = await this.send(scope, ask, call);
    if (reply.ok) return reply.data;
    if (reply.status === 404) return null;
    throw reply.failure;
  }

  /** The app's installation on the owner of `repo`. Throws Failure `missing` when it is not installed there. */
  async installationOf(scope: Scope, { owner, repo }: RepoRef): Promise<number> {
    const fixed = this.settings.GITHUB_APP_INSTALLATION_ID;
    if (fixed !== undefined) return Number(fixed);
    const known = this.#installations.get(owner.toLowerCase());
    if (known !== undefined) return known;
    const ask = { who: { as: 'app' as const }, needs: null, answer: installationAnswer };
    const { data } = await this.ask(scope, ask, (rest, o) => rest.apps.getRepoInstallation({ owner, repo, ...o }));
    this.#installations.set(owner.toLowerCase(), data.id);
    return data.id;
  }

  async #authorization(scope: Scope, who: Identity): Promise<string | null> {
    switch (who.as) {
      case 'nobody':
        return null;
      case 'holder':
        return `token ${who.token}`;
      case 'app':
        return `bearer ${await this.#jwt()}`;
      case 'installation': {
        if (this.settings.GITHUB_APP_ID === undefined) return `token ${this.settings.GITHUB_TOKEN}`;
        const installation_id = await this.installationOf(scope, who);
        return `token ${await this.#tokens.get(installation_id, () => this.#mint(scope, installation_id))}`;
      }
    }
  }

  async #mint(scope: Scope, installation_id: number): Promise<{ token: string; expiresAt: Date }> {
    const ask = { who: { as: 'app' as const }, needs: null, answer: tokenAnswer };
    const reply = await this.send(scope, ask, (rest, o) =>
      rest.apps.createInstallationAccessToken({ installation_id, ...o }),
    );
    if (reply.ok) return { token: reply.data.token, expiresAt: new Date(reply.data.expires_at) };
    if (reply.status === 404) this.#installations.clear(); // the app was installed anew, under another number
    throw reply.failure;
  }

  async #jwt(): Promise<string> {
    const { GITHUB_APP_ID: appId, GITHUB_APP_PRIVATE_KEY: key } = this.settings;
    if (appId === undefined || key === undefined)
      throw new Failure(
        'denied',
        'This takes a GitHub App, and only GITHUB_TOKEN is set. Set GITHUB_APP_ID and its key.',
      );
    this.#key ??= await privateKeyFrom(key);
    return appJwt(appId, this.#key, this.now());
  }
}

const bare = (authorization: string): string => authorization.slice(authorization.indexOf(' ') + 1);

const octokitError = z.object({
  status: z.int(),
  request: z.object({ method: z.string(), url: z.string() }),
  response: z
    .object({ headers: z.record(z.string(), z.union([z.string(), z.number()]).optional()), data: z.unknown() })
    .optional(),
});

/** Octokit throws for a refusal as for silence; this tells them apart. Nothing of the request but its address is kept. */
function refusalIn(error: unknown, signal: AbortSignal): Seen {
  const parsed = octokitError.safeParse(error);
  const asked = parsed.success
    ? `${parsed.data.request.method} ${new URL(parsed.data.request.url).pathname}`
    : 'the request';
  if (!parsed.success || parsed.data.response === undefined) throw silenceOf(error, asked, signal);
  const { headers, data } = parsed.data.response;
  return { status: parsed.data.status, headers, body: data, asked };
}
