import type { Context } from 'hono';
import { z } from 'zod';
import type { RefusalCode } from '../decisions/desk.ts';
import { scrub } from '../ingest/patterns.ts';

export type ProblemStatus = keyof typeof TITLES;

const TITLES = {
  400: 'Not understood',
  401: 'Not authenticated',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  408: 'Too slow',
  409: 'Not possible now',
  412: 'The plan has changed',
  413: 'Too large',
  415: 'Not JSON',
  422: 'Not usable',
  428: 'Say which plan',
  429: 'Too often',
  500: 'Our own fault',
  503: 'Not now',
} as const;

/** Why nothing was done. */
export interface Problem {
  readonly status: ProblemStatus;
  /** What happened, what it means and what to do. Never quotes what was sent: it may be a secret. */
  readonly detail: string;
  /** For programs, where a decision was refused. */
  readonly code?: RefusalCode;
  /** What is wrong with the request, by place. */
  readonly errors?: readonly { readonly at: string; readonly message: string }[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** RFC 9457, with the extension members `code` and `errors`. */
export const problemSchema = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  code: z.string().optional(),
  errors: z.array(z.strictObject({ at: z.string(), message: z.string() })).optional(),
});

export function respondProblem(c: Context, { status, detail, code, errors, headers }: Problem): Response {
  const body: z.infer<typeof problemSchema> = {
    type: code === undefined ? 'about:blank' : `urn:tourniquet:problem:${code}`,
    title: TITLES[status],
    status,
    detail: scrub(detail),
    ...(code === undefined ? {} : { code }),
    ...(errors === undefined
      ? {}
      : { errors: errors.map(({ at, message }) => ({ at: scrub(at), message: scrub(message) })) }),
  };
  return c.body(JSON.stringify(body), status, { ...headers, 'content-type': 'application/problem+json' });
}

/** The status of a decision that was refused. */
export function statusOf(code: RefusalCode): ProblemStatus {
  switch (code) {
    case 'nobody':
    case 'not-allowed':
    case 'own-request':
      return 403;
    case 'not-found':
      return 404;
    case 'bad-request':
      return 422;
    case 'stale-plan':
      return 412;
    case 'already':
    case 'not-waiting':
    case 'nothing-to-undo':
    case 'locked':
      return 409;
  }
}
