import { z } from 'zod';
import type { Entry } from '../core/entry.ts';
import type { Json, JsonObject } from '../core/json.ts';
import { PHASES } from '../core/plan.ts';
import { compile } from './compile.ts';

/**
 * The shape of an entry, checked when one is written and again by whoever verifies it, so that the ledger can never write what
 * an auditor's verifier would refuse. The compiler holds it to core/entry.ts (see the end of this file).
 */

const text = z.string();
const count = z.int().min(0);
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in hex');
const time = z.string().refine((value) => !Number.isNaN(Date.parse(value)), 'must be an ISO 8601 time');
/** Any JSON: what reaches this schema came out of `tidy` or `decode`, which let nothing else through. */
const json = z.custom<Json>((value) => value !== undefined, 'is missing');
const jsonObject = z.custom<JsonObject>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'must be an object',
);
const list = <T extends z.ZodType>(item: T): z.ZodType<readonly z.infer<T>[]> => z.array(item);
const phase = z.enum(PHASES);
const severity = z.enum(['critical', 'high', 'medium', 'low']);
const exposure = z.enum(['public', 'internal', 'anomaly', 'unknown']);
const step = { step: text, attempt: count };

const sealed = z.templateLiteral(['sealed:', z.string()]);
const credential = z.strictObject({ kind: text, id: text, where: jsonObject, secret: sealed.exactOptional() });

const failure = z.strictObject({
  code: z.enum([
    'throttled',
    'busy',
    'unavailable',
    'timeout',
    'garbled',
    'denied',
    'invalid',
    'missing',
    'conflict',
    'bug',
  ]),
  message: text,
});

const plannedStep = z.discriminatedUnion('kind', [
  z.strictObject({
    id: text,
    title: text,
    kind: z.literal('call'),
    effect: z.enum(['observe', 'reversible', 'irreversible']),
    op: text,
    input: json,
    unavoidable: text.exactOptional(),
    otherwise: json.exactOptional(),
  }),
  z.strictObject({
    id: text,
    title: text,
    kind: z.literal('confirm'),
    op: text,
    input: json,
    expect: z.enum(['dead', 'live']),
    withinMs: count,
    settleMs: count,
  }),
  z.strictObject({
    id: text,
    title: text,
    kind: z.literal('guided'),
    instructions: text,
    link: text.exactOptional(),
    asks: text,
  }),
  z.strictObject({ id: text, title: text, kind: z.literal('wait'), forMs: count }),
]);

const plan = z.strictObject({
  v: z.literal(1),
  run: text,
  runbook: text,
  title: text,
  credential,
  params: jsonObject,
  phases: list(
    z.strictObject({
      phase,
      approval: z.strictObject({ people: count, roles: list(text), because: text }),
      steps: list(plannedStep),
    }),
  ),
});

const decision = z.discriminatedUnion('is', [
  z.strictObject({
    is: z.literal('finding'),
    source: text,
    dedupeKey: text,
    title: text,
    severity,
    exposure,
    locations: list(z.strictObject({ label: text, url: text.exactOptional() })),
    detectedAt: time,
    exposedAt: time.exactOptional(),
    verdict: z.enum(['act', 'told']),
    because: text,
  }),
  z.strictObject({ is: z.literal('incident-opened'), title: text, severity, cause: text }),
  z.strictObject({
    is: z.literal('run-opened'),
    runbook: text,
    credential,
    params: jsonObject,
    severity,
    exposure,
    validity: z.enum(['active', 'inactive', 'unknown']),
    requestedBy: text.exactOptional(),
  }),
  z.strictObject({ is: z.literal('phase-begun'), phase, because: text }),
  z.strictObject({ is: z.literal('phase-ended'), phase, ok: z.boolean(), because: text }),
  z.strictObject({ is: z.literal('closed'), because: text }),
  z.strictObject({ is: z.literal('undo-requested'), steps: list(text) }),
  z.strictObject({ is: z.literal('undo-ended'), ok: z.boolean() }),
  z.strictObject({ is: z.literal('retry-requested') }),
  z.strictObject({ is: z.literal('answered'), step: text, answer: text }),
  z.strictObject({ is: z.literal('frozen') }),
  z.strictObject({ is: z.literal('thawed') }),
]);

const envelope = {
  v: z.literal(1),
  ledger: text.min(1),
  seq: count,
  id: text.min(1),
  time: z.strictObject({
    utc: z.iso.datetime({ precision: 3 }),
    source: z.enum(['system', 'virtual']),
    monotonicNs: z.string().regex(/^(0|[1-9][0-9]*)$/, 'must be decimal digits'),
    bootId: text.min(1),
  }),
  mode: z.enum(['live', 'sandbox', 'drill']),
  tool: z.strictObject({ name: text, version: text, configSha256: text }),
  actor: z.strictObject({ kind: z.enum(['person', 'bot', 'source']), id: text, authn: text }),
  incident: text.exactOptional(),
  run: text.exactOptional(),
  authority: z
    .strictObject({ policySha256: text.exactOptional(), approvals: list(count).exactOptional() })
    .exactOptional(),
  object: z
    .strictObject({
      provider: text,
      account: text.exactOptional(),
      kind: text,
      ref: text,
      fp: text.exactOptional(),
    })
    .exactOptional(),
  why: text.exactOptional(),
  refs: list(count).exactOptional(),
};

const requestIds = list(text).exactOptional();
const retry = { error: failure.exactOptional(), retryAt: time.exactOptional(), requestIds };

/** Exported for the tests alone: what parses entries is `parseEntry`. */
export const entry = z.discriminatedUnion('type', [
  z.strictObject({
    ...envelope,
    type: z.literal('alert.received'),
    source: text,
    delivery: text.exactOptional(),
    outcome: z.enum(['accepted', 'duplicate', 'rejected']),
    status: count,
    size: count,
    bodyFp: text.exactOptional(),
    because: text.exactOptional(),
  }),
  z.strictObject({ ...envelope, type: z.literal('decision'), decision }),
  z.strictObject({ ...envelope, type: z.literal('plan'), stage: z.enum(['assess', 'response']), plan, sha256 }),
  z.strictObject({
    ...envelope,
    type: z.literal('approval'),
    verdict: z.enum(['approve', 'deny']),
    planSha256: sha256,
    phases: list(phase),
    expiresAt: time,
    nonce: text,
  }),
  z.strictObject({
    ...envelope,
    type: z.literal('intent'),
    ...step,
    op: text,
    input: json,
    before: json.exactOptional(),
    idempotencyKey: text,
  }),
  z.strictObject({
    ...envelope,
    type: z.literal('result'),
    ...step,
    outcome: z.enum(['in-doubt', 'done', 'seen', 'retry', 'not-done', 'failed', 'unknown', 'skipped']),
    by: z.enum(['call', 'probe', 'person']),
    out: json.exactOptional(),
    ...retry,
  }),
  z.strictObject({
    ...envelope,
    type: z.literal('undo'),
    ...step,
    stage: z.enum(['intent', 'done', 'failed']),
    ...retry,
  }),
  z.strictObject({
    ...envelope,
    type: z.literal('evidence'),
    sha256,
    size: count,
    mediaType: text,
    acquiredFrom: text,
    method: text,
  }),
  z.strictObject({ ...envelope, type: z.literal('transfer'), releasedBy: text, receivedBy: text, purpose: text }),
  z.strictObject({ ...envelope, type: z.literal('access'), what: text, purpose: text }),
  z.strictObject({ ...envelope, type: z.literal('key.rotate'), from: text, to: text, signatures: list(text) }),
  z.strictObject({ ...envelope, type: z.literal('redaction'), entry: count, field: text }),
  z.strictObject({ ...envelope, type: z.literal('heartbeat') }),
]);

/** A JSON value that is not an entry; the message names the field. */
export class BadEntry extends Error {
  override readonly name = 'BadEntry';
}

const fits = compile(entry);
const isEntry = (value: unknown): value is Entry => fits(value);

/** `value` as an entry. Throws BadEntry, naming the first field that is wrong. */
export function parseEntry(value: unknown): Entry {
  if (isEntry(value)) return value;
  const parsed = entry.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new BadEntry(`${issue?.path.join('.') || 'It'}: ${issue?.message ?? 'is not an entry'}`);
}

type Parsed = z.infer<typeof entry>;
/** Every member made mandatory at every level: otherwise a new optional field would pass unnoticed. */
type Complete<T> = T extends readonly (infer U)[]
  ? readonly Complete<U>[]
  : T extends object
    ? { readonly [K in keyof T]-?: Complete<T[K]> }
    : T;
/** Does not compile when core/entry.ts gains an entry type, a field or a case that has no counterpart here, or loses one. */
export const COVERS_EVERY_ENTRY: [Complete<Entry>, Complete<Parsed>] extends [Complete<Parsed>, Complete<Entry>]
  ? true
  : never = true;
