import { createHash } from 'node:crypto';
import { type Context, Hono } from 'hono';
import { Failure } from '../core/failure.ts';
import type { Desk } from '../decisions/desk.ts';
import type { Arrivals } from '../decisions/revoke.ts';
import { type BodyLimits, readBody } from '../ingest/body.ts';
import { bearerOf } from './door.ts';
import { createLimiter, type Limiter, type Rate } from './limit.ts';
import { openApiOf } from './openapi.ts';
import { type Problem, respondProblem } from './problem.ts';
import type { Call, Route } from './route.ts';
import { botRoutes } from './routes/bot.ts';
import { decisionRoutes } from './routes/decisions.ts';
import { incidentRoutes } from './routes/incidents.ts';

export interface ApiOptions {
  readonly desk: Desk;
  /** Where a request to revoke goes. */
  readonly arrivals: Arrivals;
  readonly version: string;
  /** For each token; 60 at once and 10 a second when left out. */
  readonly rate?: Rate;
  /** Why something could not be answered. For the log and the alarm. */
  readonly onTrouble: (error: unknown) => void;
}

export const ROUTES: readonly Route[] = [...incidentRoutes, ...decisionRoutes, ...botRoutes];

const LIMITS: BodyLimits = { maxBytes: 32 * 1024, withinMs: 10_000 };
const JSON_TYPE = { 'content-type': 'application/json' } as const;
const HEADERS = { 'x-content-type-options': 'nosniff', 'cache-control': 'private, no-cache' } as const;

/**
 * The API for programs, to be mounted at `/api/v1`. Whoever bears a token is its person, or less; there is no other way in, and
 * no cookie. Every refusal is `application/problem+json` (RFC 9457) and changes nothing.
 */
export function createApi(options: ApiOptions): Hono {
  const limiter = createLimiter(options.rate ?? { burst: 60, perSecond: 10 });
  const document = openApiOf(ROUTES, options.version);
  const app = new Hono();
  app.onError((error, c) => {
    options.onTrouble(error);
    const away = error instanceof Failure && error.code === 'unavailable';
    return respondProblem(c, {
      status: away ? 503 : 500,
      detail:
        'This could not be done; what went wrong is in Tourniquet’s own log. Take a decision as not recorded until the incident shows it.',
    });
  });
  app.use(async (c, next) => {
    await next();
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
  });
  app.get('/openapi.json', (c) => withTag(c, document));
  for (const route of ROUTES)
    app.on(route.method.toUpperCase(), honoPath(route.path), (c) => serve(c, route, options, limiter));
  for (const [path, methods] of methodsByPath()) app.all(honoPath(path), (c) => wrongMethod(c, methods));
  app.all('*', (c) => respondProblem(c, { status: 404, detail: 'There is nothing at this address.' }));
  return app;
}

async function serve(c: Context, route: Route, options: ApiOptions, limiter: Limiter): Promise<Response> {
  const now = options.desk.clock.now();
  const known = await bearerOf(options.desk, c.req.header('authorization'));
  if ('refused' in known) return respondProblem(c, known.refused);
  const { bearer } = known;
  const waitMs = limiter.waitOf(bearer.authn, now.getTime());
  if (waitMs > 0) {
    const headers = { 'retry-after': String(Math.ceil(waitMs / 1_000)) };
    return respondProblem(c, {
      status: 429,
      detail: 'This token is used too often. Wait as Retry-After says.',
      headers,
    });
  }
  const view = bearer.desk.policy.may(bearer.person, 'view');
  if (!view.ok) return respondProblem(c, { status: 403, detail: view.because, code: 'not-allowed' });
  const read = route.body === undefined ? { body: undefined } : await readJson(c);
  if ('problem' in read) return respondProblem(c, read.problem);
  const call: Call = { ...bearer, now, ifMatch: tagOf(c.req.header('if-match')), arrivals: options.arrivals };
  const outcome = await route.run(call, { params: c.req.param(), query: c.req.query(), body: read.body });
  if ('problem' in outcome) return respondProblem(c, outcome.problem);
  if (route.method === 'get') return withTag(c, outcome.body);
  return c.body(JSON.stringify(outcome.body), route.status, JSON_TYPE);
}

/** The body as JSON; undefined where none was sent. */
async function readJson(c: Context): Promise<{ readonly body: unknown } | { readonly problem: Problem }> {
  const read = await readBody(c.req.raw, LIMITS);
  if (!read.ok) {
    // Past a body that was not read to its end, the connection cannot carry another request.
    return {
      problem: { status: read.status, detail: `${read.because} Nothing was done.`, headers: { connection: 'close' } },
    };
  }
  if (read.body.length === 0) return { body: undefined };
  if (!/^application\/json *(;|$)/i.test(c.req.header('content-type') ?? ''))
    return { problem: { status: 415, detail: 'Send JSON, with content-type: application/json. Nothing was done.' } };
  try {
    return { body: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(read.body)) };
  } catch {
    return { problem: { status: 400, detail: 'The body is not JSON in UTF-8. Nothing was done.' } };
  }
}

/** Answers with an entity tag of the content itself (RFC 9110, §8.8.3), or 304 where the caller has it already. */
function withTag(c: Context, body: unknown): Response {
  const text = JSON.stringify(body);
  const etag = `"${createHash('sha256').update(text).digest('base64url')}"`;
  if (has(c.req.header('if-none-match'), etag)) return c.body(null, 304, { etag });
  return c.body(text, 200, { etag, ...JSON_TYPE });
}

const has = (header: string | undefined, etag: string): boolean =>
  header?.split(',').some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '') === etag) ?? false;

/** The one strong tag of `If-Match`. A list or `*` names no plan that anybody has read. */
const tagOf = (header: string | undefined): string | undefined => /^"([^"]*)"$/.exec(header?.trim() ?? '')?.[1];

const honoPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1');

const methodsByPath = (): ReadonlyMap<string, readonly string[]> =>
  new Map(
    [...Map.groupBy(ROUTES, ({ path }) => path)].map(([path, all]) => [
      path,
      all.map(({ method }) => method.toUpperCase()),
    ]),
  );

const wrongMethod = (c: Context, methods: readonly string[]): Response => {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : [])].join(', ');
  return respondProblem(c, { status: 405, detail: `Here it is ${allow}.`, headers: { allow } });
};
