import { z } from 'zod';
import type { Json } from '../core/json.ts';
import type { Parsed } from './source.ts';
import { type JsonLimits, jsonPointer, parseStrictJson } from './strict-json.ts';

/** What a webhook body may be at most. A report file may be larger: see reports/leak.ts. */
export const WEBHOOK_JSON: JsonLimits = { bytes: 1024 * 1024, depth: 32 };

export type Shaped<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly invalid: Invalid };
type Invalid = Extract<Parsed, { kind: 'invalid' }>;

export const invalid = (at: string, message: string): Invalid => ({ kind: 'invalid', at, message });

/** `value` as `schema` has it, or where and why it is not. Zod's messages name types, never the values received. */
export function shaped<T>(schema: z.ZodType<T>, value: Json): Shaped<T> {
  const result = schema.safeParse(value);
  if (result.success) return { ok: true, value: result.data };
  const issue = result.error.issues[0];
  if (!issue) return { ok: false, invalid: invalid('', 'The body does not have the expected shape.') };
  const unknown = issue.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : [];
  const message = unknown.length > 0 ? 'No such field is known.' : issue.message;
  return { ok: false, invalid: invalid(jsonPointer([...issue.path, ...unknown]), message) };
}

/** Strict JSON of the given shape, or where and why it is not. */
export function shapedJson<T>(schema: z.ZodType<T>, bytes: Uint8Array, limits: JsonLimits = WEBHOOK_JSON): Shaped<T> {
  const json = parseStrictJson(bytes, limits);
  return json.ok ? shaped(schema, json.value) : { ok: false, invalid: invalid(json.at, json.message) };
}

export const text = (max: number): z.ZodString => z.string().min(1).max(max);

/** Any RFC 3339 time, given back in UTC. */
export const instant = z.iso.datetime({ offset: true }).transform((time) => new Date(time).toISOString());

/** A link that people may be shown: http or https, nothing that runs, no password within. */
export const link = z
  .url({ protocol: /^https?$/ })
  .max(2_000)
  .refine(
    (url) => !URL.parse(url)?.username && !URL.parse(url)?.password,
    'A link must not hold a user name or password.',
  );
