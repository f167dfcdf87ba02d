import { z } from 'zod';
import type { Said } from '../decisions/desk.ts';
import type { Arrivals } from '../decisions/revoke.ts';
import type { Bearer } from './door.ts';
import { type Problem, type ProblemStatus, statusOf } from './problem.ts';

/** What a handler is given besides its input. */
export interface Call extends Bearer {
  readonly now: Date;
  /** The entity tag of `If-Match`, without its quotes. */
  readonly ifMatch: string | undefined;
  readonly arrivals: Arrivals;
}

export type Outcome<R> = { readonly body: R } | { readonly problem: Problem };

export interface RouteSpec<P, Q, B, R> {
  readonly method: 'get' | 'post' | 'put';
  /** Below `/api/v1`, as OpenAPI writes it: `/incidents/{ref}`. */
  readonly path: string;
  readonly id: string;
  readonly summary: string;
  readonly params: z.ZodObject & z.ZodType<P>;
  readonly query: z.ZodObject & z.ZodType<Q>;
  /** Absent where no body is read. One that accepts `{}` may be left out by whoever calls. */
  readonly body?: z.ZodType<B>;
  /** The plan must be named by `If-Match`. */
  readonly ifMatch?: true;
  readonly status: 200 | 202;
  /** The name of the answer among the components of the document. */
  readonly name: string;
  readonly answer: z.ZodType<R>;
  /** Beyond 400, 401, 403, 429 and 500, which every route may answer. */
  readonly refusals: readonly ProblemStatus[];
  readonly handle: (
    call: Call,
    input: { readonly params: P; readonly query: Q; readonly body: B },
  ) => Promise<Outcome<R>>;
}

/** What came in, before anything is believed. `body` is undefined where none was sent. */
export interface Raw {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/** A route as the server and the document know it: its types are checked where it is written and its input where it is called. */
export interface Route extends Omit<RouteSpec<unknown, unknown, unknown, unknown>, 'handle'> {
  readonly run: (call: Call, raw: Raw) => Promise<Outcome<unknown>>;
}

export const NONE = z.strictObject({});

export function route<P, Q, B = undefined, R = unknown>(spec: RouteSpec<P, Q, B, R>): Route {
  const { handle, ...described } = spec;
  return {
    ...described,
    async run(call, raw) {
      const params = spec.params.safeParse(raw.params);
      if (!params.success) return wrong(404, 'There is nothing at this address.', []);
      const query = spec.query.safeParse(raw.query);
      if (!query.success) return wrong(400, 'The query was not understood.', query.error.issues);
      if (spec.body === undefined)
        return handle(call, { params: params.data, query: query.data, body: undefined as B });
      const body = spec.body.safeParse(raw.body ?? {});
      if (!body.success) return wrong(422, 'The body was not usable; nothing was done.', body.error.issues);
      if (spec.ifMatch && call.ifMatch === undefined) return { problem: { status: 428, detail: PLEASE_NAME_PLAN } };
      return handle(call, { params: params.data, query: query.data, body: body.data });
    },
  };
}

const PLEASE_NAME_PLAN =
  'Say which plan you decide about: If-Match: "PLAN SHA-256", as the incident has it. Nothing was done.';

const wrong = (status: ProblemStatus, detail: string, issues: readonly z.core.$ZodIssue[]): Outcome<never> => ({
  problem: {
    status,
    detail,
    ...(issues.length === 0
      ? {}
      : { errors: issues.slice(0, 20).map(({ path, message }) => ({ at: path.join('.'), message })) }),
  },
});

/** A decision's outcome as an answer. */
export function answered(said: Said): Outcome<{ said: string; incident?: string }> {
  if (!said.ok) return { problem: { status: statusOf(said.code), code: said.code, detail: said.message } };
  return { body: { said: said.said, ...(said.incident === undefined ? {} : { incident: said.incident }) } };
}
