import type { Installation, Repository, Token } from './state.ts';

/** Who a request says it is, once GitHub checked. */
export type Caller =
  | { readonly is: 'nobody' }
  | { readonly is: 'app' }
  | { readonly is: 'token'; readonly token: Token; readonly text: string; readonly installation: Installation | null };

export interface Call {
  readonly caller: Caller;
  readonly path: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** GitHub's refusals, thrown by whoever finds a reason. */
export class Refused extends Error {
  readonly answer: Answer;
  constructor(
    status: number,
    message: string,
    more: { headers?: Readonly<Record<string, string>>; errors?: unknown[] } = {},
  ) {
    super(message);
    const errors = more.errors === undefined ? {} : { errors: more.errors };
    const body = { message, ...errors, documentation_url: 'https://docs.github.com/rest', status: String(status) };
    this.answer = { status, body, ...(more.headers === undefined ? {} : { headers: more.headers }) };
  }
}

export const notFound = (): Refused => new Refused(404, 'Not Found');

/** One page of `all`, with the Link header that leads to the next. */
export function paged<T>(all: readonly T[], query: URLSearchParams): { page: T[]; headers: Record<string, string> } {
  const size = Number(query.get('per_page') ?? 30);
  const number = Number(query.get('page') ?? 1);
  const more = all.length > size * number;
  const next = `<https://api.github.com/resource?page=${number + 1}&per_page=${size}>; rel="next"`;
  return { page: all.slice(size * (number - 1), size * number), headers: more ? { link: next } : {} };
}

const RANK: Readonly<Record<string, number>> = { read: 1, write: 2 };

/** Throws what GitHub answers when `caller` may not do on `repository` what takes `needs`, `NAME:LEVEL`. */
export function authorize(caller: Caller, repository: Repository | undefined, needs: string): Repository {
  if (caller.is !== 'token') throw new Refused(401, 'Requires authentication');
  const { token, installation } = caller;
  const sees = installation === null ? token.scopes.includes('repo') : repository?.owner === installation.owner;
  if (repository === undefined || !sees) throw notFound();
  const [name = '', level = ''] = needs.split(':');
  const given = token.permissions[name] ?? '';
  if (installation !== null && (RANK[given] ?? 0) < (RANK[level] ?? 0))
    throw new Refused(403, 'Resource not accessible by integration', {
      headers: { 'x-accepted-github-permissions': `${name}=${level}` },
    });
  return repository;
}
