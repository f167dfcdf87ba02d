import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { testPolicy } from '../../src/commands/policy.ts';
import { parseCases, runCases } from '../../src/policy/cases.ts';
import { BadPolicy } from '../../src/policy/compile.ts';
import { BadFile } from '../../src/policy/json-file.ts';
import { defaultTexts } from '../../src/policy/load.ts';

const SHIPPED = new URL('../../src/policy/default.cases.json', import.meta.url);
const shipped = parseCases(readFileSync(SHIPPED, 'utf8'), 'default.cases.json');
const table = (...cases: object[]) => parseCases(JSON.stringify({ cases }), 'cases.json');

function run(file: string) {
  const lines: string[] = [];
  const io = {
    env: {},
    out: (line: string) => lines.push(line),
    err: (line: string) => lines.push(line),
    ask: null,
    colour: false,
    user: 'ana',
    stopping: new AbortController().signal,
    now: () => new Date(0),
  };
  return { exitCode: testPolicy(io, file), lines };
}

describe('the cases that are shipped with the default policy', () => {
  it('hold', () => {
    const results = runCases(defaultTexts(), shipped);
    expect(results.filter(({ ok }) => !ok)).toEqual([]);
    expect(results.length).toBeGreaterThan(40);
  });

  it('do not hold under a policy that forgets to ask', () => {
    const careless = { 'careless.cedar': '@reason("why not") permit (principal is Bot, action, resource);' };
    const failed = runCases(careless, shipped).filter(({ ok }) => !ok);
    expect(failed.map(({ name }) => name)).toContain('contain: never a honeytoken');
  });

  it('cover every rule that speaks of the bot', () => {
    const because = runCases(defaultTexts(), shipped)
      .map(({ got }) => got.because)
      .join('\n');
    const text = Object.values(defaultTexts()).join('\n');
    const rules = text
      .split('@id(')
      .slice(1)
      .filter((each) => /principal == Bot/.test(each));
    const reasons = rules.map((each) => /@reason\("([^"{]*)/.exec(each)?.[1] ?? '');
    expect(reasons.length).toBeGreaterThan(10);
    expect(reasons.filter((reason) => !because.includes(reason))).toEqual([]);
  });
});

describe('a case', () => {
  it('may leave open how many people of which roles are asked', () => {
    const [result] = runCases(defaultTexts(), table({ name: 'asks', phase: 'retire', expect: { answer: 'ask' } }));
    expect(result?.ok).toBe(true);
  });

  it.each([
    { answer: 'do it' },
    { answer: 'tell' },
    { answer: 'ask', people: 2 },
    { answer: 'ask', roles: ['lead'] },
    { answer: 'ask', roles: ['lead', 'approver', 'auditor'] },
  ])('does not hold when it expects %j where one lead or approver is asked', (expected) => {
    const [result] = runCases(defaultTexts(), table({ name: 'x', phase: 'retire', expect: expected }));
    expect(result).toMatchObject({ ok: false, got: { answer: 'ask', people: 1, roles: ['lead', 'approver'] } });
  });

  it('that is misspelt is refused with its place', () => {
    const text = '{ "cases": [\n  { "name": "x", "fase": "contain", "expect": { "answer": "maybe" } }\n] }';
    expect(() => parseCases(text, 'cases.json')).toThrow(BadFile);
    expect(() => parseCases(text, 'cases.json')).toThrow(/cases\.json:2:/);
    expect(() => parseCases('{ "cases": [] }', 'cases.json')).toThrow('there is no case');
  });

  it('is not asked of a policy that cannot be used', () => {
    const texts = { 'bad.cedar': 'permit (principal' };
    expect(() => runCases(texts, shipped)).toThrow(BadPolicy);
  });
});

describe('tourniquet policy test', () => {
  it('prints each case with its reasons and says how many hold', () => {
    const { exitCode, lines } = run(SHIPPED.pathname);
    expect(exitCode).toBe(0);
    expect(lines).toContain('✓ contain: acts when public: do it, because anyone can read it');
    expect(lines.at(-1)).toMatch(/^All \d+ cases hold\.$/);
  });

  it('says which file cannot be read', () => {
    expect(() => run('/nowhere/cases.json')).toThrow('/nowhere/cases.json cannot be read: it is not there');
  });
});
