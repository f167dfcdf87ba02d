import { OpenAPIBackend } from 'openapi-backend';
import description from './github-openapi.json' with { type: 'json' };

/** One request and what was answered to it, as both went over the wire. */
export interface Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
  /** Null when the answer was wrong on purpose: an injected fault. */
  readonly answer: { readonly status: number; readonly body: unknown } | null;
}

export interface Conformance {
  /** What GitHub would refuse of the request, and what it would never answer; nothing when all is well. */
  readonly problems: (exchange: Exchange) => string[];
  /** GitHub's own name of the operation: `secret-scanning/get-alert`. */
  readonly operationOf: (exchange: Exchange) => string | undefined;
  readonly operations: readonly string[];
}

const DATE_TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;
const FORMATS = {
  uri: (text: string) => URL.canParse(text),
  'date-time': (text: string) => DATE_TIME.test(text) && !Number.isNaN(Date.parse(text)),
  email: /^[^@\s]+@[^@\s]+$/,
  /** Every integer of JavaScript fits it. */
  int64: true,
} as const;

let made: Promise<Conformance> | undefined;
/** Holds exchanges to GitHub's own description of its API, cut down by cut-github-openapi.ts. */
export const githubConformance = (): Promise<Conformance> => {
  made ??= make();
  return made;
};

async function make(): Promise<Conformance> {
  const api = new OpenAPIBackend({
    definition: JSON.parse(JSON.stringify(description)),
    ajvOpts: { strict: false, formats: FORMATS },
    quick: true,
  });
  await api.init();
  const matched = ({ method, path, query, headers, body }: Exchange) => {
    const request = { method, path, query, headers: { ...headers }, ...(body === undefined ? {} : { body }) };
    return { request, operation: api.matchOperation(request) };
  };
  return {
    operations: api.getOperations().map(({ operationId }) => operationId ?? ''),
    operationOf: (exchange) => matched(exchange).operation?.operationId,
    problems(exchange) {
      const { request, operation } = matched(exchange);
      const name = `${exchange.method} ${exchange.path}`;
      if (operation?.operationId === undefined) return [`${name} is not in the description`];
      const wrong = (what: string, errors: readonly { instancePath: string; message?: string }[] | null | undefined) =>
        (errors ?? []).map((error) => `${name}: ${what} ${error.instancePath} ${error.message ?? ''}`);
      const asked = wrong('request', api.validateRequest(request, operation).errors);
      const { answer } = exchange;
      // The description names few refusals, and no rate limit at all; a success it must name.
      if (answer === null || (answer.status >= 400 && operation.responses?.[answer.status] === undefined)) return asked;
      if (operation.responses?.[answer.status] === undefined)
        return [...asked, `${name} never answers ${answer.status}`];
      if (answer.body === undefined) return asked;
      return [
        ...asked,
        ...wrong(`answer ${answer.status}`, api.validateResponse(answer.body, operation, answer.status).errors),
      ];
    },
  };
}
