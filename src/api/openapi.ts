import { z } from 'zod';
import { problemSchema } from './problem.ts';
import type { Route } from './route.ts';

type JsonSchema = Readonly<Record<string, unknown>>;

/** What any route may answer besides its own. */
const ALWAYS = [400, 401, 403, 429, 500, 503] as const;

const MEANING: Readonly<Record<number, string>> = {
  400: 'The request was not understood',
  401: 'No token, or one that is unknown, revoked or expired',
  403: 'The person, or the token, may not do this',
  404: 'There is no such thing',
  408: 'The body took too long',
  409: 'Not possible as things stand: already decided, not waiting, nothing to undo, or locked',
  412: 'The plan has changed since; read it and decide again',
  413: 'The body is too large',
  415: 'The body is not JSON',
  422: 'The body is not usable',
  428: 'If-Match is missing',
  429: 'Too often; Retry-After says when to come back',
  500: 'Our own fault; take a decision as not recorded until the incident shows it',
  503: 'The database cannot be reached; try again',
};

/** The OpenAPI 3.1 document of `routes`, made from the schemas that the server itself checks with. */
export function openApiOf(routes: readonly Route[], version: string): JsonSchema {
  const answers = Object.fromEntries(routes.map(({ name, answer }) => [name, schemaOf(answer, 'output')]));
  const paths = Map.groupBy(routes, ({ path }) => path);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tourniquet',
      version,
      summary: 'Incident response and credential revocation',
      description:
        'Whoever bears a token is the person it was made for, or less. Every write is attributed in the custody log. Texts that came with an alert are what strangers wrote: escape them.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/api/v1' }],
    security: [{ token: [] }],
    paths: Object.fromEntries(
      [...paths].map(([path, all]) => [path, Object.fromEntries(all.map((each) => [each.method, operationOf(each)]))]),
    ),
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: 'npx tourniquet token create --person ID --expires 30d' },
      },
      schemas: { ...answers, Problem: schemaOf(problemSchema, 'output') },
      headers: {
        ETag: { description: 'Send it as If-None-Match to be answered 304', schema: { type: 'string' } },
        RetryAfter: { description: 'Seconds', schema: { type: 'integer' } },
      },
    },
  };
}

function operationOf({ id, summary, params, query, body, ifMatch, status, name, method, refusals }: Route): JsonSchema {
  const parameters = [
    ...parametersOf(params, 'path'),
    ...parametersOf(query, 'query'),
    ...(ifMatch
      ? [
          {
            name: 'If-Match',
            in: 'header',
            required: true,
            description: 'The SHA-256 of the plan that you decide about, in quotes',
            schema: { type: 'string', pattern: '^"[0-9a-f]{64}"$' },
          },
        ]
      : []),
    ...(method === 'get' ? [{ name: 'If-None-Match', in: 'header', required: false, schema: { type: 'string' } }] : []),
  ];
  return {
    operationId: id,
    summary,
    ...(parameters.length > 0 ? { parameters } : {}),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: !body.safeParse({}).success,
            content: { 'application/json': { schema: schemaOf(body, 'input') } },
          },
        }),
    responses: {
      [status]: {
        description: 'Done',
        ...(method === 'get' ? { headers: { ETag: { $ref: '#/components/headers/ETag' } } } : {}),
        content: { 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } },
      },
      ...(method === 'get' ? { 304: { description: 'As If-None-Match has it' } } : {}),
      ...Object.fromEntries([...ALWAYS, ...refusals].map((each) => [each, problemResponse(each)])),
    },
  };
}

const problemResponse = (status: number): JsonSchema => ({
  description: MEANING[status] ?? 'Refused',
  ...(status === 429 ? { headers: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } } : {}),
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
});

function parametersOf(object: z.ZodObject, place: 'path' | 'query'): readonly JsonSchema[] {
  return Object.entries(object.shape).map(([name, field]) => {
    const { shownAs, description, ...schema } = schemaOf(field, 'input');
    return {
      name,
      in: place,
      required: place === 'path',
      ...(description === undefined ? {} : { description }),
      schema: shownAs ?? schema,
    };
  });
}

function schemaOf(schema: z.core.$ZodType, io: 'input' | 'output'): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { io, reused: 'inline' });
  return rest;
}
