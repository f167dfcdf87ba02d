import { generateKeyPairSync } from 'node:crypto';
import sodium from 'libsodium-wrappers';
import { type Fault, Faults, type Simulator } from '#tourniquet';
import { callerOf } from './simulator/auth.ts';
import { type Answer, type Call, Refused } from './simulator/call.ts';
import { characters, seededRandom } from './simulator/random.ts';
import { routes } from './simulator/routes.ts';
import { type AlertAction, alertWebhook, type Webhook } from './simulator/webhook.ts';
import { type AlertAt, GithubWorld } from './simulator/world.ts';

export interface GithubSimulator extends Simulator {
  /** What is there, to seed and to check. */
  readonly world: GithubWorld;
  /** What shall go wrong. */
  readonly faults: Faults;
  /** The signed `secret_scanning_alert` delivery for a seeded alert, to post to our own webhook. */
  readonly signedWebhook: (alert: AlertAt, action: AlertAction, secret: string) => Webhook;
}

const HOUR_MS = 3_600_000;
const FAULT_ANSWERS: Readonly<Partial<Record<Fault, () => Answer>>> = {
  deny: () => new Refused(403, 'Resource not accessible by integration').answer,
  missing: () => new Refused(404, 'Not Found').answer,
  conflict: () => new Refused(409, 'Conflict').answer,
  throttle: () =>
    new Refused(429, 'You have exceeded a secondary rate limit.', { headers: { 'retry-after': '2' } }).answer,
  error: () => new Refused(503, 'Service unavailable').answer,
  garbage: () => ({ status: 200, body: '<html>Please sign in to the Wi-Fi</html>' }),
};

/** Of the app in every simulator of this process: nothing tells them apart by it, and making one takes long. */
let processKey: ReturnType<typeof makeKey> | undefined;
const makeKey = () => generateKeyPairSync('rsa', { modulusLength: 2_048 });

/**
 * GitHub in memory: the endpoints that the connector uses, with its shapes, headers, limits and delays. Tokens, app key and
 * deploy keys are made when it starts, so that none stands in any file. `now` is its only clock.
 */
export function createGithubSimulator(options: {
  readonly now: () => Date;
  readonly seed: number;
  /** How long GitHub takes to refuse a token that it accepted to revoke. */
  readonly propagationMs: number;
  readonly faults?: Faults;
}): GithubSimulator {
  const { now, faults = new Faults() } = options;
  const random = seededRandom(options.seed);
  const world = new GithubWorld(now, random);
  const table = compile(routes(world, options.propagationMs));
  processKey ??= makeKey();
  const appKey = processKey;
  const windows = new Map<string, { readonly since: number; used: number }>();
  let base = '';

  /** GitHub's budget: 60 requests an hour for nobody, 5,000 for everybody else. */
  const limit = (who: string) => {
    const most = who === 'nobody' ? 60 : 5_000;
    const known = windows.get(who);
    const window =
      known !== undefined && now().getTime() - known.since < HOUR_MS ? known : { since: now().getTime(), used: 0 };
    windows.set(who, window);
    window.used += 1;
    const headers = {
      'x-ratelimit-limit': String(most),
      'x-ratelimit-remaining': String(Math.max(0, most - window.used)),
      'x-ratelimit-reset': String(Math.ceil((window.since + HOUR_MS) / 1_000)),
    };
    return { headers, exceeded: window.used > most };
  };

  const answer = (request: Request, body: string, run: (call: Call) => Answer, path: Call['path']): Answer => {
    const authorization = request.headers.get('authorization');
    const { headers, exceeded } = limit(authorization === null ? 'nobody' : authorization);
    try {
      const caller = callerOf(world, appKey.publicKey, authorization);
      if (exceeded) throw new Refused(403, 'API rate limit exceeded');
      const { searchParams: query } = new URL(request.url);
      const given = run({ caller, path, query, body: body === '' ? undefined : JSON.parse(body) });
      return { ...given, headers: { ...headers, ...given.headers } };
    } catch (error) {
      if (error instanceof Refused) return { ...error.answer, headers: { ...headers, ...error.answer.headers } };
      throw error;
    }
  };

  return {
    world,
    faults,
    env: (url) => {
      base = new URL(url).pathname.replace(/\/$/, '');
      return {
        GITHUB_API_URL: url,
        GITHUB_APP_ID: world.appId,
        GITHUB_APP_PRIVATE_KEY: appKey.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
    signedWebhook: (alert, action, secret) => {
      const delivery = ['x', 'x', 'x', 'x', 'x'].map(() => characters(random, 8).toLowerCase()).join('-');
      return alertWebhook(world, alert, action, secret, delivery);
    },
    async fetch(request) {
      await sodium.ready;
      const body = await request.text();
      const path = new URL(request.url).pathname.slice(base.length);
      const route = match(table, request.method, path);
      const respond = (given: Answer): Response => responseOf(given, characters(random, 16));
      if (route === null) return respond(new Refused(404, 'Not Found').answer);
      const act = () => answer(request, body, route.run, route.path);
      const fault = faults.take(route.action);
      switch (fault) {
        case undefined:
          return respond(act());
        case 'hang':
          return hang(request.signal);
        case 'error-after':
          act();
          return respond(new Refused(500, 'Server Error').answer);
        case 'drop-after':
          act();
          return dropped();
        case 'lie': {
          const kept = structuredClone(world.state);
          const given = act();
          world.state = kept;
          return respond(given);
        }
        default:
          return respond(FAULT_ANSWERS[fault]?.() ?? act());
      }
    },
  };
}

interface Route {
  readonly action: string;
  readonly method: string;
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly run: (call: Call) => Answer;
}

const compile = (all: ReturnType<typeof routes>): readonly Route[] =>
  Object.entries(all).map(([action, run]) => {
    const [method = '', template = ''] = action.split(' ');
    const names = [...template.matchAll(/\{(\w+)\}/g)].map(([, name]) => name ?? '');
    return { action, method, pattern: new RegExp(`^${template.replace(/\{\w+\}/g, '([^/]+)')}$`), names, run };
  });

function match(table: readonly Route[], method: string, path: string) {
  for (const { pattern, names, run, action, ...route } of table) {
    const found = route.method === method ? pattern.exec(path) : null;
    if (found === null) continue;
    return {
      action,
      run,
      path: Object.fromEntries(names.map((name, i) => [name, decodeURIComponent(found[i + 1] ?? '')])),
    };
  }
  return null;
}

function responseOf({ status, body, headers }: Answer, requestId: string): Response {
  const type = typeof body === 'string' ? 'text/html' : 'application/json; charset=utf-8';
  const all = {
    ...headers,
    'x-github-request-id': requestId.toUpperCase(),
    'x-github-media-type': 'github.v3; format=json',
  };
  if (body === undefined) return new Response(null, { status, headers: all });
  return new Response(typeof body === 'string' ? body : JSON.stringify(body), {
    status,
    headers: { ...all, 'content-type': type },
  });
}

/** Nothing, until whoever asked gives up. */
const hang = (signal: AbortSignal): Promise<Response> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));

/** An answer that promises more than it gives before the connection closes. */
const dropped = (): Response =>
  new Response(new Blob(['{']).stream(), { headers: { 'content-length': '1000', connection: 'close' } });
