import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from '../../src/api/api.ts';
import { planShaOf, runOf, tellStory } from '../console/world.ts';
import { openWorld, type World } from './world.ts';

/** The same on every run: a linear congruential generator (Numerical Recipes). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const TEXTS = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  'a\udfff',
  '\u202e',
  '__proto__',
  "' OR 1=1 --",
  '<script>alert(1)</script>',
  ['$', '{jndi:ldap://x}'].join(''),
  '../../etc/passwd',
  'x'.repeat(2_001),
  'ﷺ'.repeat(1_500),
  'e\u0301'.repeat(900),
  '=cmd()',
  'INC-1',
];
const LEAVES: readonly unknown[] = [...TEXTS, null, true, 0, -1, 1e308, 2 ** 60, [], {}, [[[[[]]]]]];

describe('a hostile request', () => {
  let world: World;
  let token: string;
  beforeAll(async () => {
    world = await openWorld();
    await tellStory(world.inner, { number: 1 });
    token = await world.tokenOf('ana', { validForMs: 86_400_000 });
  });
  afterAll(() => world.inner.store.close());

  const writes = ROUTES.filter(({ body }) => body !== undefined);
  const headers = { 'if-match': `"${planShaOf({ number: 1 })}"` };
  const pathOf = (path: string) => path.replace('{ref}', 'INC-1').replace('{run}', runOf(1));
  const names = ['why', 'frozen', 'credential', 'step', 'answer', '__proto__', 'constructor', 'verdict'];

  it.each(writes.map(({ id, method, path }, index) => ({ id, method, path, index })))(
    '$id answers any body without failing, and writes nothing that it refuses',
    async ({ method, path, index }) => {
      const random = randomFrom(index + 1);
      const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(random() * from.length)];
      const made = (depth: number): unknown => {
        if (depth === 0 || random() < 0.3) return pick(LEAVES);
        const size = Math.floor(random() * 4);
        if (random() < 0.2) return Array.from({ length: size }, () => made(depth - 1));
        return Object.fromEntries(Array.from({ length: size }, () => [pick(names) ?? '', made(depth - 1)]));
      };
      for (let turn = 0; turn < 150; turn += 1) {
        const body = made(3);
        const before = (await world.desk.ledger.head()).size;
        const got = await world.call(method, pathOf(path), { token, headers, body });
        expect(got.status, JSON.stringify(body)).toBeLessThan(500);
        const wrote = (await world.desk.ledger.head()).size > before;
        if (got.status >= 400) expect(wrote).toBe(false);
      }
      expect(world.troubles).toEqual([]);
    },
  );

  const broken: readonly (readonly [string, Uint8Array, number])[] = [
    ['half a JSON', Buffer.from('{"why": '), 400],
    ['bytes that are no UTF-8', Uint8Array.from([0x7b, 0xff, 0xfe, 0x7d]), 400],
    ['a very deep list', Buffer.from('['.repeat(20_000) + ']'.repeat(20_000)), 413],
    ['a deep list', Buffer.from('['.repeat(9_000) + ']'.repeat(9_000)), 422],
    ['more than a reason needs', Buffer.from(JSON.stringify({ why: 'x'.repeat(40_000) })), 413],
  ];
  it.each(broken)('with %s is refused', async (_what, body, expected) => {
    expect((await world.call('PUT', '/freeze', { token, body })).status).toBe(expected);
  });

  it('that is not JSON by its own word is refused, even when it would parse', async () => {
    const body = { frozen: true, why: 'x' };
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/jsonp', ''])
      expect((await world.call('PUT', '/freeze', { token, body, headers: { 'content-type': type } })).status).toBe(415);
    expect(
      (
        await world.call('PUT', '/freeze', {
          token,
          body,
          headers: { 'content-type': 'application/json; charset=utf-8' },
        })
      ).status,
    ).toBe(200);
  });

  it.each(['INC-1%00', 'INC-1%0d%0aX-Evil:1', '..%2f..%2fpeople', '%f0%9f%92%a9', 'a'.repeat(65), '%ff', "1'--"])(
    'for the incident %s finds nothing',
    async (ref) => {
      expect((await world.call('GET', `/incidents/${ref}`, { token })).status).toBe(404);
    },
  );

  it('never gets back what it sent, for it may be a secret', async () => {
    const secret = ['gh', 'p_', 'A1b2'.repeat(9)].join('');
    const tries = [
      await world.call('POST', '/revocations', { token, body: { credential: [secret], why: secret } }),
      await world.call('POST', '/revocations', { token, body: { [secret]: 1 } }),
      await world.call('GET', `/incidents?state=${secret}`, { token }),
      await world.call('GET', `/incidents?${secret}=1`, { token }),
      await world.call('GET', `/incidents/${secret}`, { token }),
      await world.call('PUT', '/freeze', { token, body: Buffer.from(`{"why": ${secret}`) }),
    ];
    for (const { status, json, headers } of tries) {
      expect(status).toBeGreaterThanOrEqual(400);
      expect(JSON.stringify(json) + JSON.stringify([...headers])).not.toContain(secret);
    }
  });
});
