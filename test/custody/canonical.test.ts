import { describe, expect, it } from 'vitest';
import { decode, encode, sha256OfJson, tidy } from '../../src/custody/canonical.ts';

const nested = (levels: number): string => `${'['.repeat(levels)}${']'.repeat(levels)}`;

describe('canonical JSON', () => {
  it('reads back exactly what it wrote', () => {
    const value = { b: [1, -5, 'é "\\ \u0001', null, true], a: { '\u20ac': 1, '1': 2 } };
    expect(decode(encode(value))).toEqual(value);
  });

  it.each([
    ['white space', '{"a": 1}', 'not canonical'],
    ['members out of order', '{"b":1,"a":2}', 'differs from character 2'],
    ['a member twice', '{"a":1,"a":2}', 'not canonical'],
    ['a needless escape', '"\\u0041"', 'not canonical'],
    ['minus zero', '-0', 'not canonical'],
    ['an exponent', '1e2', 'not canonical'],
    ['a fraction', '{"a":[0.5]}', '$.a.0 is 0.5'],
    ['an unsafe integer', '9007199254740992', '$ is 9007199254740992'],
    ['text that is not NFC', '{"a":"e\u0301"}', '$.a is not in Unicode normal form C'],
    ['a key that is not NFC', '{"e\u0301":1}', 'normal form C'],
    ['a lone surrogate', '"\\ud800"', 'lone surrogate'],
    ['a byte order mark', '\ufeff{}', 'not JSON'],
    ['more than 32 levels', nested(33), 'more than 32 levels'],
    ['something behind the end', '{}{}', 'not JSON'],
    ['nothing', '', 'not JSON'],
  ])('refuses %s', (_what, text, message) => {
    expect(() => decode(Buffer.from(text))).toThrow(message);
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(() => decode(Buffer.of(0x22, 0xc3, 0x28, 0x22))).toThrow('not valid UTF-8');
  });

  it('takes 32 levels and 65,535 bytes, and not one more byte', () => {
    expect(decode(Buffer.from(nested(32)))).toBeDefined();
    const largest = encode('x'.repeat(65_533));
    expect(largest).toHaveLength(65_535);
    expect(decode(largest)).toHaveLength(65_533);
    expect(() => encode('x'.repeat(65_534))).toThrow('takes 65536 bytes');
    expect(() => decode(Buffer.from(`"${'x'.repeat(65_534)}"`))).toThrow('65536 bytes long');
  });

  it('tidies strangers’ text, keys included, instead of refusing it', () => {
    expect(tidy({ 'e\u0301': ['\udc00', undefined], gone: undefined })).toEqual({ '\u00e9': ['\ufffd', null] });
    expect(Object.keys(tidy(JSON.parse('{"__proto__":{"a":1}}')) as object)).toEqual(['__proto__']);
  });

  it('refuses two members that become one', () => {
    expect(() => tidy({ 'e\u0301': 1, '\u00e9': 2 })).toThrow('two members');
  });

  it('names a value by the hash of what the ledger will hold', () => {
    expect(sha256OfJson({ b: 1, a: 'e\u0301' })).toBe(sha256OfJson({ a: '\u00e9', b: 1 }));
  });
});
