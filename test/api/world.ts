import { randomBytes, randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { expect } from 'vitest';
import { createApi, ROUTES } from '../../src/api/api.ts';
import type { Rate } from '../../src/api/limit.ts';
import { problemSchema } from '../../src/api/problem.ts';
import type { Route } from '../../src/api/route.ts';
import { issueToken } from '../../src/api/tokens.ts';
import { randomToken } from '../../src/console/link.ts';
import type { Desk } from '../../src/decisions/desk.ts';
import { createInbox } from '../../src/ingest/inbox.ts';
import type { Fetch } from '../../src/listen.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import type { Person, Role } from '../../src/policy/policy.ts';
import { openRoster } from '../../src/policy/roster.ts';
import { createSeal } from '../../src/store/sealed.ts';
import { type World as ConsoleWorld, openWorld as openConsoleWorld } from '../console/world.ts';

const person = (id: string, ...roles: Role[]): Person => ({ id, name: `Person ${id}`, roles, authn: [`cli:${id}`] });
export const ANA = person('ana', 'lead', 'auditor');
export const PEOPLE = [
  ANA,
  person('rita', 'responder'),
  person('app', 'approver'),
  person('aud', 'auditor'),
  person('nia'),
];
const ADMIN = { kind: 'person', id: 'admin', authn: 'cli:admin' } as const;

export interface Sent {
  readonly token?: string;
  /** JSON unless it is bytes. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Got {
  readonly status: number;
  readonly headers: Headers;
  readonly json: Record<string, unknown> & { readonly items?: readonly Record<string, unknown>[] };
}

export interface World {
  readonly inner: ConsoleWorld;
  readonly desk: Desk;
  readonly troubles: unknown[];
  readonly arrivals: string[];
  readonly fetch: Fetch;
  /** A new token of `id`, that lives for an hour. */
  tokenOf(id: string, options?: { roles?: readonly Role[]; validForMs?: number }): Promise<string>;
  /** Sends a request, and holds whatever is answered to the schema that the document gives for it. */
  call(method: string, path: string, sent?: Sent): Promise<Got>;
}

export async function openWorld(rate: Rate = { burst: 10_000, perSecond: 10_000 }): Promise<World> {
  const inner = await openConsoleWorld('live');
  const roster = openRoster(PEOPLE);
  const desk: Desk = { ...inner.desk, roster, policy: loadPolicy(undefined, roster) };
  const { ledger, clock, store } = inner;
  const seal = createSeal(randomBytes(32), randomBytes);
  const inbox = createInbox({ ledger, db: store.db, seal, clock, random: randomUUID });
  const troubles: unknown[] = [];
  const arrivals: string[] = [];
  const web = new Hono();
  const accepted = (id: string): void => void arrivals.push(id);
  web.route(
    '/api/v1',
    createApi({
      desk,
      arrivals: { inbox, accepted },
      version: '0.1.0',
      rate,
      onTrouble: (error) => troubles.push(error),
    }),
  );
  return {
    inner,
    desk,
    troubles,
    arrivals,
    fetch: web.fetch,
    async tokenOf(id, { roles, validForMs = 3_600_000 } = {}) {
      const owner = PEOPLE.find((each) => each.id === id);
      if (!owner) throw new Error(`nobody is ${id}`);
      const parts = { ledger, clock, newToken: randomToken };
      const { token } = await issueToken(parts, { person: owner, validForMs, by: ADMIN, ...(roles ? { roles } : {}) });
      return token;
    },
    async call(method, path, { token, body, headers = {} } = {}) {
      const bytes = body instanceof Uint8Array;
      const response = await web.request(`/api/v1${path}`, {
        method,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: bytes ? new Uint8Array(body) : JSON.stringify(body) }),
      });
      const text = await response.text();
      const json = text === '' ? {} : JSON.parse(text);
      holdToSchema(method, path, response, json);
      return { status: response.status, headers: response.headers, json };
    },
  };
}

export function routeOf(method: string, path: string): Route | undefined {
  const bare = path.split('?')[0] ?? '';
  return ROUTES.find(
    (route) =>
      route.method === method.toLowerCase() && new RegExp(`^${route.path.replace(/\{\w+\}/g, '[^/]+')}$`).test(bare),
  );
}

const ALWAYS = [400, 401, 403, 429, 500, 503];

function holdToSchema(method: string, path: string, response: Response, json: unknown): void {
  const type = response.headers.get('content-type');
  const { status } = response;
  if (status === 304 || path === '/openapi.json' || method === 'HEAD') return;
  const route = routeOf(method, path);
  if (status >= 400) {
    expect(type).toBe('application/problem+json');
    expect(problemSchema.parse(json)).toMatchObject({ status });
    if (route) expect([...ALWAYS, ...route.refusals]).toContain(status);
    return;
  }
  expect(type).toBe('application/json');
  expect(status).toBe(route?.status);
  route?.answer.parse(json);
}
