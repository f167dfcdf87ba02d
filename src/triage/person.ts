import { z } from 'zod';
import type { Clue, Finding } from '../core/finding.ts';
import type { Parsed, RawRequest } from '../ingest/source.ts';

/** A person's own request comes through the same inbox as every alert: durable before it is answered, and on record. */
export const PERSON = 'person';

const request = z.strictObject({
  requestedBy: z.string(),
  at: z.string(),
  why: z.string(),
  clue: z.strictObject({
    kind: z.string(),
    id: z.string().optional(),
    where: z.record(z.string(), z.json()).optional(),
    secret: z.string().optional(),
  }),
});

export interface PersonRequest {
  readonly requestedBy: string;
  readonly at: string;
  readonly why: string;
  readonly clue: Clue;
}

export const personRequest = (asked: PersonRequest): RawRequest => ({
  headers: {},
  body: Buffer.from(JSON.stringify(asked)),
});

/** Whom the finding comes from, for policy. Null when an alert brought it. */
export function requesterOf(source: string, raw: RawRequest): string | null {
  return source === PERSON ? request.parse(JSON.parse(raw.body.toString())).requestedBy : null;
}

/** Reads back what `personRequest` wrote. There is no HTTP route to it: only the command line, Slack and the console write it. */
export function parsePersonRequest({ body }: RawRequest): Parsed {
  const { requestedBy, at, why, clue } = request.parse(JSON.parse(body.toString()));
  const { kind, id, where, secret } = clue;
  const name = id === undefined ? kind : `${kind} ${id}`;
  const finding: Finding = {
    dedupeKey: `${PERSON}:${requestedBy}:${at}:${name}`,
    title: `${requestedBy} asked to revoke ${name}`,
    cause: { key: `${PERSON}:${kind}:${id ?? at}`, title: why === '' ? `Revoke ${name}` : why },
    severity: 'high',
    exposure: 'unknown',
    validity: 'unknown',
    clue: { kind, ...(id && { id }), ...(where && { where }), ...(secret && { secret }) },
    locations: [],
    detectedAt: at,
  };
  return { kind: 'findings', findings: [finding] };
}
