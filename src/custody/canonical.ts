import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Json } from '../core/json.ts';

/** RFC 6962 leaves have no limit; C2SP tlog-tiles entry bundles do: a 16-bit length. */
export const MAX_BYTES = 65_535;
const MAX_DEPTH = 32;

/** A value that may not stand in the ledger, and where in it. */
export class NotCanonical extends Error {
  override readonly name = 'NotCanonical';
}

/** RFC 8785 (JCS) text of `value`. Throws NotCanonical where JSON has no form for it. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new NotCanonical('A value of this kind has no JSON form');
  return text;
}

/** Canonical bytes of an already `tidy` value. Throws NotCanonical when they would not fit in a ledger entry. */
export function encode(value: Json): Buffer {
  const bytes = Buffer.from(canonicalJson(value), 'utf8');
  if (bytes.length > MAX_BYTES) {
    throw new NotCanonical(
      `It takes ${bytes.length} bytes and an entry holds at most ${MAX_BYTES}: store the large part as evidence and refer to its hash`,
    );
  }
  return bytes;
}

/**
 * The value whose canonical form `bytes` is, and of no other: UTF-8 without errors, RFC 8785, strings in NFC, whole numbers
 * within ±2^53, at most 32 levels and 65,535 bytes. Throws NotCanonical, saying which of these fails and where.
 */
export function decode(bytes: Uint8Array): Json {
  if (bytes.length > MAX_BYTES)
    throw new NotCanonical(`It is ${bytes.length} bytes long; at most ${MAX_BYTES} are allowed`);
  return decodeUnbounded(bytes);
}

/** `decode` for documents that are not entries and may be longer. */
export function decodeUnbounded(bytes: Uint8Array): Json {
  const text = utf8(bytes);
  const value = parse(text);
  check(value, '$', 1);
  const again = canonicalJson(value);
  if (again !== text) {
    throw new NotCanonical(
      `It is not canonical JSON (RFC 8785): it differs from character ${firstDifference(text, again)} on`,
    );
  }
  return value;
}

/**
 * A copy of `value` fit for the ledger. Text that outsiders choose (a commit message, a user name) must never be able to stop a
 * containment, so strings are brought to NFC and lone surrogates become U+FFFD; `undefined` members are left out. Our own
 * mistakes are refused: throws NotCanonical for fractions, unsafe integers, non-JSON values and more than 32 levels.
 */
export function tidy(value: unknown, path = '$', depth = 1): Json {
  if (typeof value === 'string') return value.toWellFormed().normalize('NFC');
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return checkNumber(value, path);
  if (typeof value !== 'object') throw new NotCanonical(`${path} is a ${typeof value}, which JSON cannot hold`);
  checkDepth(path, depth);
  if (Array.isArray(value)) return value.map((item: unknown, i) => tidy(item ?? null, `${path}[${i}]`, depth + 1));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) {
    throw new NotCanonical(`${path} is an object of a class, not plain JSON: convert it first`);
  }
  const members = new Map<string, Json>();
  for (const [key, member] of Object.entries(value)) {
    if (member === undefined) continue;
    const name = key.toWellFormed().normalize('NFC');
    if (members.has(name)) throw new NotCanonical(`${path} has two members that both read "${name}" once normalised`);
    members.set(name, tidy(member, `${path}.${name}`, depth + 1));
  }
  return Object.fromEntries(members);
}

/** SHA-256, hex, of the canonical JSON of `value` as the ledger would store it: what an approval names a plan by. */
export const sha256OfJson = (value: unknown): string => hash('sha256', canonicalJson(tidy(value)), 'hex');

/** `bytes` as text. Throws NotCanonical on anything that is not UTF-8, or that begins with a byte order mark. */
export function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new NotCanonical('It is not valid UTF-8', { cause });
  }
}

function parse(text: string): Json {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new NotCanonical(`It is not JSON (${cause instanceof Error ? cause.message : String(cause)})`, { cause });
  }
}

function check(value: Json, path: string, depth: number): void {
  if (typeof value === 'string') checkText(value, path);
  else if (typeof value === 'number') checkNumber(value, path);
  else if (typeof value === 'object' && value !== null) {
    checkDepth(path, depth);
    for (const [key, member] of Object.entries(value)) {
      checkText(key, path);
      if (member !== undefined) check(member, `${path}.${key}`, depth + 1);
    }
  }
}

function checkText(text: string, path: string): void {
  if (!text.isWellFormed()) throw new NotCanonical(`${path} holds a lone surrogate`);
  if (text.normalize('NFC') !== text) throw new NotCanonical(`${path} is not in Unicode normal form C`);
}

function checkNumber(value: number, path: string): number {
  if (Number.isSafeInteger(value)) return value;
  throw new NotCanonical(
    `${path} is ${value}: the ledger takes only whole numbers within ±(2^53 − 1); write others as text`,
  );
}

function checkDepth(path: string, depth: number): void {
  if (depth > MAX_DEPTH) throw new NotCanonical(`${path} is nested more than ${MAX_DEPTH} levels deep`);
}

function firstDifference(a: string, b: string): number {
  let at = 0;
  while (at < a.length && a[at] === b[at]) at += 1;
  return at;
}
