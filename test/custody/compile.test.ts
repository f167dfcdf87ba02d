import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { compile } from '../../src/custody/compile.ts';
import { entry as schema } from '../../src/custody/envelope.ts';
import { append, openFixture, STORY } from './fixture.ts';

describe('a compiled schema', () => {
  const shape = z.strictObject({
    kind: z.literal('a'),
    n: z.int().min(0),
    t: z.string().min(1),
    o: z.string().exactOptional(),
  });
  const good = { kind: 'a', n: 0, t: 'x' };

  it.each([
    ['a member too many', { ...good, more: 1 }],
    ['a member missing', { kind: 'a', n: 0 }],
    ['a mandatory member missing and an optional one in its place', { kind: 'a', n: 0, o: 'x' }],
    ['undefined where a member may only be left out', { ...good, o: undefined }],
    ['a member of another type', { ...good, n: '0' }],
    ['a fraction', { ...good, n: 0.5 }],
    ['a number below the least', { ...good, n: -1 }],
    ['a text too short', { ...good, t: '' }],
    ['a list', [good]],
    ['null', null],
    ['a member that every object inherits', { ...good, constructor: 'x' }],
  ])('refuses %s, as zod does', (_what, value) => {
    expect(shape.safeParse(value).success).toBe(false);
    expect(compile(shape)(value)).toBe(false);
  });

  it('accepts what fits', () => {
    expect(compile(shape)(good)).toBe(true);
    expect(compile(shape)({ ...good, o: 'there' })).toBe(true);
  });

  it('leaves to zod what it does not know', () => {
    const even = compile(z.array(z.int().refine((n) => n % 2 === 0)));
    expect(even([2, 4])).toBe(true);
    expect(even([2, 3])).toBe(false);
    const word = compile(z.templateLiteral(['a:', z.string()]));
    expect([word('a:b'), word('b:a')]).toEqual([true, false]);
  });

  it('never accepts an entry that zod refuses, nor changes one: every member of every entry taken away, retyped or doubled', async () => {
    const fixture = await openFixture();
    await append(fixture, STORY);
    const entries = [...(await fixture.ledger.ofIncident('inc-1')), ...(await fixture.ledger.ofIncident('inc-2'))];
    const fits = compile(schema);
    let refused = 0;
    for (const entry of entries) {
      expect(fits(entry)).toBe(true);
      for (const changed of changesOf(entry)) {
        const parsed = schema.safeParse(changed);
        if (parsed.success) expect(parsed.data).toEqual(changed);
        else refused += 1;
        expect(fits(changed) && !parsed.success, JSON.stringify(changed)).toBe(false);
      }
    }
    expect(refused).toBeGreaterThan(1_000);
  });
});

/** Copies of `value`, each with one change somewhere in it. */
function* changesOf(value: unknown): Generator<unknown> {
  yield* [null, 7, -1, 0.5, 'text', true, [], {}].filter((other) => JSON.stringify(other) !== JSON.stringify(value));
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) for (const changed of changesOf(item)) yield value.with(i, changed);
    return;
  }
  yield { ...value, stranger: 1 };
  for (const [name, member] of Object.entries(value)) {
    const { [name]: _gone, ...rest } = value as Record<string, unknown>;
    yield rest;
    for (const changed of changesOf(member)) yield { ...value, [name]: changed };
  }
}
