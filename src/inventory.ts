import { z } from 'zod';
import type { Credential } from './core/credential.ts';
import type { Json, JsonObject } from './core/json.ts';
import { parseJsonFile } from './policy/json-file.ts';
import type { Holding } from './policy/policy.ts';

/** What is known of a credential besides what its provider says. */
export interface Held extends Holding {
  /** Who uses it, in words for people: `deploy pipeline of acme/web`. */
  readonly consumers: readonly string[];
  /** For its runbook: where a new one goes, how long to soak. */
  readonly params: JsonObject;
}

/** The TOURNIQUET_INVENTORY file. */
export interface Inventory {
  /** Of the first entry that matches; nothing is known of a credential that none matches. */
  holdingOf(credential: Credential): Held;
}

/** What a runbook is given: its own params and, where it asks for them, the consumers. */
export const paramsOf = ({ consumers, params }: Held): JsonObject => ({ consumers, ...params });

const json: z.ZodType<Json> = z.json();
const text = z.string().min(1);

const entry = z.strictObject({
  match: z.strictObject({ kind: text, id: text.optional(), where: z.record(z.string(), json).optional() }),
  owner: text.optional(),
  environment: text.optional(),
  protected: text.optional(),
  honeytoken: z.literal(true).optional(),
  consumers: z.array(text).default([]),
  params: z.record(z.string(), json).default({}),
});
type Entry = z.infer<typeof entry>;

/**
 * Reads an inventory: `[{ match: { kind, id?, where? }, owner?, environment?, protected?, honeytoken?, consumers?, params? }]`.
 * `where` matches when the credential has all of its members. Throws BadFile with every problem and its place.
 */
export function parseInventory(json: string, file = 'TOURNIQUET_INVENTORY'): Inventory {
  return openInventory(parseJsonFile(json, file, z.array(entry)));
}

/** For where no inventory is configured. */
export const emptyInventory: Inventory = { holdingOf: () => ({ consumers: [], params: {} }) };

function openInventory(entries: readonly Entry[]): Inventory {
  return {
    holdingOf(credential) {
      const found = entries.find(({ match }) => matches(match, credential));
      if (!found) return emptyInventory.holdingOf(credential);
      const { owner, environment, honeytoken, consumers, params } = found;
      return {
        consumers,
        params,
        ...(owner === undefined ? {} : { owner }),
        ...(environment === undefined ? {} : { environment }),
        ...(honeytoken === undefined ? {} : { honeytoken }),
        ...(found.protected === undefined ? {} : { protected: found.protected }),
      };
    },
  };
}

const matches = ({ kind, id, where = {} }: Entry['match'], credential: Credential): boolean =>
  kind === credential.kind && (id === undefined || id === credential.id) && within(where, credential.where);

/** Whether `whole` has everything that `part` has; lists must be equal member by member. */
function within(part: Json, whole: Json | undefined): boolean {
  if (!isObject(part)) return Array.isArray(part) ? sameList(part, whole) : part === whole;
  if (whole === undefined || !isObject(whole)) return false;
  return Object.entries(part).every(([key, value]) => value === undefined || within(value, whole[key]));
}

const sameList = (part: readonly Json[], whole: Json | undefined): boolean =>
  Array.isArray(whole) && part.length === whole.length && part.every((each, index) => within(each, whole[index]));

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
