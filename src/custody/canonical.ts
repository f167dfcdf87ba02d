import { isAscii } from 'node:buffer';
import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { Json } from '../core/json.ts';

/** RFC 6962 leaves have no limit; C2SP tlog-tiles entry bundles do: a 16-bit length. */
export const MAX_BYTES = 65_535;
const MAX_DEPTH = 32;
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

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
  const bytes = Buffer.from(isPlain(value, 1) ? JSON.stringify(value) : canonicalJson(value), 'utf8');
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
  // What JSON.stringify writes of a plain value is its canonical form, and an ASCII text without \u escapes holds only strings in
  // NFC. Most entries are so, and are accepted here several times faster; whatever is not is judged below.
  if (text.length === bytes.length && isPlain(value, 1) && !text.includes('\\u') && JSON.stringify(value) === text)
    return value;
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
  if (typeof value === 'string') return normal(value);
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return checkNumber(value, path);
  if (typeof value !== 'object') throw new NotCanonical(`${path} is a ${typeof value}, which JSON cannot hold`);
  checkDepth(path, depth);
  if (Array.isArray(value)) return value.map((item: unknown, i) => tidy(item ?? null, `${path}[${i}]`, depth + 1));
  if (!isPlainObject(value)) {
    throw new NotCanonical(`${path} is an object of a class, not plain JSON: convert it first`);
  }
  return tidyMembers(value, path, depth);
}

/** Members in the order of RFC 8785, so that `encode` need not sort. */
function tidyMembers(value: Readonly<Record<string, unknown>>, path: string, depth: number): Json {
  const members: Record<string, Json> = {};
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member === undefined) continue;
    const name = normal(key);
    if (Object.hasOwn(members, name)) {
      throw new NotCanonical(`${path} has two members that both read "${name}" once normalised`);
    }
    const clean = tidy(member, `${path}.${name}`, depth + 1);
    if (name === '__proto__') Object.defineProperty(members, name, { value: clean, enumerable: true });
    else members[name] = clean;
  }
  return members;
}

const isPlainObject = (value: object): value is Readonly<Record<string, unknown>> => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
};

/** SHA-256, hex, of the canonical JSON of `value` as the ledger would store it: what an approval names a plan by. */
export const sha256OfJson = (value: unknown): string => hash('sha256', canonicalJson(tidy(value)), 'hex');

/**
 * Whether JSON.stringify would write the canonical form of `value`: it writes strings and whole numbers as RFC 8785 demands
 * (except lone surrogates, which `tidy` replaces), and members in the order in which the object lists them. False where the
 * members are not in the order of RFC 8785, a number is not whole and safe, or the value is nested too deep.
 */
function isPlain(value: Json, depth: number): boolean {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return true;
  if (typeof value === 'number') return Number.isSafeInteger(value);
  if (depth > MAX_DEPTH) return false;
  if (isList(value)) return value.every((item) => isPlain(item, depth + 1));
  let previous: string | undefined;
  for (const key in value) {
    if (previous !== undefined && key <= previous) return false;
    const member = value[key];
    if (member === undefined || !isPlain(member, depth + 1)) return false;
    previous = key;
  }
  return true;
}

const isList = (value: readonly Json[] | { readonly [key: string]: Json | undefined }): value is readonly Json[] =>
  Array.isArray(value);

/** `bytes` as text. Throws NotCanonical on anything that is not UTF-8, or that begins with a byte order mark. */
export function utf8(bytes: Uint8Array): string {
  if (isAscii(bytes)) return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  try {
    return UTF8.decode(bytes);
  } catch (cause) {
    throw new NotCanonical('It is not valid UTF-8', { cause });
  }
}

/** Most text is ASCII and stays as it is. */
const normal = (text: string): string => (/^[ -~]*$/.test(text) ? text : text.toWellFormed().normalize('NFC'));

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
