import { OpenAPIBackend } from 'openapi-backend';
import description from './github-openapi.json' with { type: 'json' };

/** One request and what was answered to it, as both went over the wire. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  readonly status: number;
  readonly answer: unknown;
}

/** Holds exchanges to GitHub's own description of its API, cut down by cut-github-openapi.ts. */
export async function githubConformance() {
  const api = new OpenAPIBackend({
    definition: JSON.parse(JSON.stringify(description)),
    // GitHub describes int64 and the like, which JSON Schema does not know as formats.
    ajvOpts: { strict: false, formats: { int64: true } },
    quick: true,
  });
  await api.init();
  return {
    /** What GitHub would refuse of the request, and what it would never answer; nothing when all is well. */
    problems({ method, path, query, headers, body, status, answer }: Exchange): string[] {
      const request = { method, path, query, headers: { ...headers }, ...(body === undefined ? {} : { body }) };
      const operation = api.matchOperation(request);
      const name = `${method} ${path}`;
      if (operation?.operationId === undefined) return [`${name} is not in the description`];
      const wrong = (what: string, errors: readonly { instancePath: string; message?: string }[] | null | undefined) =>
        (errors ?? []).map((error) => `${name}: ${what} ${error.instancePath} ${error.message ?? ''}`);
      const asked = wrong('request', api.validateRequest(request, operation).errors);
      if (!Object.keys(operation.responses ?? {}).includes(String(status))) return asked;
      return [...asked, ...wrong(`response ${status}`, api.validateResponse(answer, operation, status).errors)];
    },
    /** Whether the description names this status for this request at all. */
    describes: ({ method, path, status }: Pick<Exchange, 'method' | 'path' | 'status'>): boolean => {
      const operation = api.matchOperation({ method, path, headers: {} });
      return Object.keys(operation?.responses ?? {}).includes(String(status));
    },
  };
}
