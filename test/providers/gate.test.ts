import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/core/failure.ts';
import { accountIn, createGate, type Way } from '../../src/providers/gate.ts';

const limits = new Map([['aws', { iam: { capacity: 1, perSecond: 1 } }]]);
const way = (account: string): Way => ({ connector: 'aws', bucket: 'iam', account });
const at = (ms: number): Date => new Date(1_000_000 + ms);
const call = (ticket: string, urgent = false) => ({ ticket, rank: urgent ? 0 : 8, urgent });

describe('the gate to providers', () => {
  it('counts every account by itself', () => {
    const gate = createGate(limits);
    expect(gate.enter(way('a'), call('1'), at(0))).toBe(0);
    expect(gate.enter(way('a'), call('2'), at(0))).toBe(1_000);
    expect(gate.enter(way('b'), call('3'), at(0))).toBe(0);
  });

  it('makes one wish for silence hold for everyone on that way, and for nobody else', () => {
    const gate = createGate(limits);
    gate.left(way('a'), new Failure('throttled', 'slow down', { retryAfterMs: 60_000 }), at(0));
    expect(gate.enter(way('a'), call('1', true), at(0))).toBe(60_000);
    expect(gate.enter(way('b'), call('2'), at(0))).toBe(0);
  });

  it('spends no token on a call that an open breaker keeps away', () => {
    const gate = createGate(limits);
    for (let i = 0; i < 5; i += 1) gate.left(way('a'), new Failure('unavailable', 'down'), at(0));
    expect(gate.enter(way('a'), call('1'), at(0))).toBe(1_000);
    expect(gate.enter(way('a'), call('2', true), at(0))).toBe(0);
    expect(gate.view(at(0)).breakers).toEqual([{ connector: 'aws', standing: 'half-open' }]);
  });

  it('shows the poorest account and the worst breaker, without naming an account', () => {
    const gate = createGate(limits);
    gate.enter(way('a'), call('1'), at(0));
    gate.enter(way('a'), call('2'), at(0));
    for (let i = 0; i < 5; i += 1) gate.left(way('b'), new Failure('timeout', 'silent'), at(0));
    expect(gate.view(at(0))).toEqual({
      budgets: [{ connector: 'aws', bucket: 'iam', left: 0, waiting: 1 }],
      breakers: [{ connector: 'aws', standing: 'open' }],
    });
  });

  it('forgets accounts of which nothing is left to remember', () => {
    const gate = createGate(limits);
    for (let i = 0; i < 20_000; i += 1) gate.enter(way(`account-${i}`), call(`${i}`), at(0));
    expect(gate.enter(way('account-19999'), call('again'), at(0))).toBe(1_000);
    expect(gate.enter(way('account-0'), call('again'), at(0))).toBe(0); // long since full again, as far as anyone knows
  });
});

describe('the account of a call', () => {
  it.each([
    [{ account: '111122223333' }, '111122223333'],
    [{ id: 'x', where: { account: '111122223333', user: 'u' } }, '111122223333'],
    [{ owner: 'acme', repo: 'web' }, 'acme'],
    [{ where: { owner: 'acme' } }, 'acme'],
    [{ secret: 'sealed:1' }, ''],
    [{ account: 5 }, ''],
    [null, ''],
    [['account'], ''],
  ])('in %j is %j', (input, account) => {
    expect(accountIn(input)).toBe(account);
  });
});
