import type { Json } from '../core/json.ts';

export interface JsonLimits {
  readonly bytes: number;
  /** How many arrays and objects may stand within each other. */
  readonly depth: number;
}

/** `at` is a JSON pointer to what was refused; neither it nor `message` quotes a value. */
export type StrictJson =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly at: string; readonly message: string };

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;
const WORDS = { t: ['true', true], f: ['false', false], n: ['null', null] } as const;

/**
 * Parses JSON (RFC 8259) as I-JSON (RFC 7493) asks: UTF-8 only, no duplicate member names, finite numbers. Total: refuses, and
 * never throws, on any bytes. Unlike JSON.parse it never lets the last of two equal keys win, which is how a checker and an actor
 * come to read two different alerts, and its messages never quote the body, which may hold a secret.
 * Lone surrogates become U+FFFD; NUL characters and members called `__proto__` are refused.
 */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits): StrictJson {
  if (bytes.length > limits.bytes) {
    return refused('', `The body has ${bytes.length} bytes; at most ${limits.bytes} are accepted.`);
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return { ok: true, value: new Reader(text, limits.depth).document() };
  } catch (error) {
    if (error instanceof Refusal) return refused(error.at, error.message);
    if (error instanceof TypeError && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA') {
      return refused('', 'The body is not valid UTF-8.');
    }
    throw error;
  }
}

const refused = (at: string, message: string): StrictJson => ({ ok: false, at, message });

/** RFC 6901, with long member names cut: they come from outside and end up in answers. */
export const jsonPointer = (path: readonly PropertyKey[]): string =>
  path.map((part) => `/${String(part).slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');

class Refusal extends Error {
  readonly at: string;
  constructor(at: string, message: string) {
    super(message);
    this.at = at;
  }
}

class Reader {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #path: (string | number)[] = [];
  #i = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  document(): Json {
    this.#space();
    if (this.#i === this.#text.length) throw this.#refusal('The body is empty; JSON was expected.');
    const value = this.#value(1);
    this.#space();
    if (this.#i < this.#text.length) throw this.#refusal('Something follows the JSON value.');
    return value;
  }

  #value(depth: number): Json {
    const first = this.#text[this.#i];
    switch (first) {
      case '{':
        return this.#object(depth);
      case '[':
        return this.#array(depth);
      case '"':
        return this.#string();
      case 't':
      case 'f':
      case 'n': {
        const [word, value] = WORDS[first];
        if (!this.#text.startsWith(word, this.#i)) throw this.#refusal('This is not a JSON value.');
        this.#i += word.length;
        return value;
      }
      default:
        return this.#number();
    }
  }

  #object(depth: number): Json {
    this.#enter(depth);
    const object: Record<string, Json> = {};
    if (this.#taken('}')) return object;
    do {
      this.#space();
      if (this.#text[this.#i] !== '"') throw this.#refusal('A member name in double quotes was expected.');
      const key = this.#string();
      this.#path.push(key);
      if (key === '__proto__') throw this.#refusal('No member may be called __proto__.');
      if (Object.hasOwn(object, key))
        throw this.#refusal('This member appears twice; it is not clear which one is meant.');
      if (!this.#taken(':')) throw this.#refusal('A colon was expected after the member name.');
      this.#space();
      object[key] = this.#value(depth + 1);
      this.#path.pop();
    } while (this.#taken(','));
    if (!this.#taken('}')) throw this.#refusal('A comma or } was expected.');
    return object;
  }

  #array(depth: number): Json {
    this.#enter(depth);
    const array: Json[] = [];
    if (this.#taken(']')) return array;
    do {
      this.#path.push(array.length);
      this.#space();
      array.push(this.#value(depth + 1));
      this.#path.pop();
    } while (this.#taken(','));
    if (!this.#taken(']')) throw this.#refusal('A comma or ] was expected.');
    return array;
  }

  #enter(depth: number): void {
    if (depth > this.#maxDepth) throw this.#refusal(`The body nests deeper than ${this.#maxDepth} levels.`);
    this.#i += 1;
  }

  #string(): string {
    const start = this.#i;
    let escaped = false;
    for (let i = start + 1; i < this.#text.length; i += 1) {
      const code = this.#text.charCodeAt(i);
      if (code < 0x20) throw this.#refusal('A string holds a bare control character.');
      if (code === 0x5c) {
        escaped = true;
        i += 1;
      } else if (code === 0x22) {
        this.#i = i + 1;
        return this.#unescaped(start, escaped);
      }
    }
    throw this.#refusal('A string does not end.');
  }

  #unescaped(start: number, escaped: boolean): string {
    if (!escaped) return this.#text.slice(start + 1, this.#i - 1).toWellFormed();
    let string: string;
    try {
      string = String(JSON.parse(this.#text.slice(start, this.#i))).toWellFormed();
    } catch {
      throw this.#refusal('A string holds an escape that JSON does not know.');
    }
    if (string.includes('\0')) throw this.#refusal('A string holds a NUL character.');
    return string;
  }

  #number(): number {
    NUMBER.lastIndex = this.#i;
    const digits = NUMBER.exec(this.#text)?.[0];
    if (digits === undefined) throw this.#refusal('A JSON value was expected.');
    const number = Number(digits);
    if (!Number.isFinite(number)) throw this.#refusal('A number is too large.');
    this.#i += digits.length;
    return number;
  }

  #space(): void {
    SPACE.lastIndex = this.#i;
    SPACE.test(this.#text);
    this.#i = SPACE.lastIndex;
  }

  #taken(char: string): boolean {
    this.#space();
    if (this.#text[this.#i] !== char) return false;
    this.#i += 1;
    return true;
  }

  #refusal(what: string): Refusal {
    return new Refusal(jsonPointer(this.#path), `${what} (Character ${this.#i + 1}.)`);
  }
}
