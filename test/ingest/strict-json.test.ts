import { describe, expect, it } from 'vitest';
import { parseStrictJson } from '../../src/ingest/strict-json.ts';

const LIMITS = { bytes: 10_000_000, depth: 8 };
const parse = (text: string | Uint8Array, limits = LIMITS) =>
  parseStrictJson(typeof text === 'string' ? Buffer.from(text) : text, limits);

describe('strict JSON', () => {
  it.each([
    'null',
    'true',
    ' [ ] ',
    '{}',
    '-0',
    '0.5e-3',
    '""',
    '"\\u00e9\\n\\"\\\\"',
    '"é😀"',
    '[1,[2,{"a":[]}]]',
    '{"constructor":1,"toString":{"":2}}',
    '\t{"a" : [ true , false , null ] }\r\n',
  ])('reads %s as JSON.parse does', (text) => {
    expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) });
  });

  it.each([
    ['', '', 'empty'],
    ['   ', '', 'empty'],
    ['{"a":1', '', 'comma or }'],
    ['{"a":{"b":[1,2', '/a/b', 'comma or ]'],
    ['[1,]', '/1', 'value was expected'],
    ['{"a":1,}', '', 'member name'],
    ['{a:1}', '', 'member name'],
    ['{"a" 1}', '/a', 'colon'],
    ["'a'", '', 'value was expected'],
    ['"abc', '', 'does not end'],
    ['"a\nb"', '', 'control character'],
    ['"\\x41"', '', 'escape'],
    ['"\\u12"', '', 'escape'],
    ['"\\u0000"', '', 'NUL'],
    ['\0', '', 'value was expected'],
    ['{}\0', '', 'follows'],
    ['01', '', 'follows'],
    ['+1', '', 'value was expected'],
    ['.5', '', 'value was expected'],
    ['1.', '', 'follows'],
    ['NaN', '', 'value was expected'],
    ['nul', '', 'not a JSON value'],
    ['[1e999]', '/0', 'too large'],
    ['{} {}', '', 'follows'],
    ['{"a":1,"b":2,"a":3}', '/a', 'twice'],
    ['{"a":1,"\\u0061":2}', '/a', 'twice'],
    ['{"x":[{"k/~":{"q":0,"q":1}}]}', '/x/0/k~1~0/q', 'twice'],
    ['{"__proto__":{"admin":true}}', '/__proto__', '__proto__'],
  ])('refuses %j at %j', (text, at, message) => {
    expect(parse(text)).toMatchObject({ ok: false, at, message: expect.stringContaining(message) });
  });

  it('refuses bytes that are not UTF-8', () => {
    expect(parse(Buffer.from([0x22, 0xff, 0xfe, 0x22]))).toMatchObject({
      ok: false,
      message: expect.stringContaining('UTF-8'),
    });
    expect(parse(Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]))).toMatchObject({ ok: false });
  });

  it('accepts nesting up to its limit and refuses one level more, however deep', () => {
    const nested = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);
    expect(parse(nested(8)).ok).toBe(true);
    expect(parse(nested(9))).toMatchObject({ ok: false, message: expect.stringContaining('8 levels') });
    expect(parse('[{"a":'.repeat(1_000_000)).ok).toBe(false);
  });

  it('looks at nothing of a body that is too large', () => {
    expect(parse('{"a":1}', { bytes: 6, depth: 8 })).toMatchObject({
      ok: false,
      message: expect.stringContaining('at most 6'),
    });
  });

  it('makes lone surrogates well formed, so that what is stored can be read again', () => {
    expect(parse('"\\ud800x"')).toEqual({ ok: true, value: '\ufffdx' });
    expect(parse('{"\\ud800":1,"\\ud801":2}')).toMatchObject({ ok: false, message: expect.stringContaining('twice') });
  });

  it('never quotes the body in a refusal', () => {
    const secret = 'correct-horse-battery';
    for (const text of [
      `{"a":"${secret}\n"}`,
      `["${secret}" "${secret}"]`,
      `${secret}`,
      `{"a":"${secret}`,
      `["${secret}\\x"]`,
    ]) {
      expect(JSON.stringify(parse(text))).not.toContain('horse');
    }
  });

  it('holds against every prefix and every flipped byte of a real document', () => {
    const text = Buffer.from('{"a":[1,-2.5e3,"\\u00e9😀",null,true],"b":{"c":""}}');
    for (let i = 0; i < text.length; i += 1) {
      expect(parse(text.subarray(0, i)).ok).toBe(false);
      for (const byte of [0x00, 0x22, 0x5c, 0x7b, 0x7d, 0xff]) {
        const changed = Buffer.from(text);
        changed[i] = byte;
        const ours = parse(changed);
        if (ours.ok) expect(ours.value).toEqual(JSON.parse(changed.toString()));
      }
    }
  });
});
