import { describe, expect, it } from 'vitest';
import { type BucketState, fullBucket, isIdle, paused, type Rank, take } from '../../src/providers/budget.ts';

const LIMIT = { capacity: 2, perSecond: 2 };
const CONTAIN = 0;
const EVIDENCE = 4;
const HOUSEKEEPING = 8;

/** A bucket on a clock that moves only when told. */
class Bench {
  now = 0;
  state: BucketState = fullBucket(LIMIT, 0);
  take(ticket: string, rank: Rank = EVIDENCE): number {
    const { state, waitMs } = take(this.state, LIMIT, { ticket, rank }, this.now);
    this.state = state;
    return waitMs;
  }
  empty(): this {
    while (this.take(`first-${this.now}-${this.state.tokens}`) === 0);
    this.state = { ...this.state, waiting: [] };
    return this;
  }
}

describe('a budget', () => {
  it('lets its capacity through at once and says exactly when the next one may come', () => {
    const bench = new Bench();
    expect([bench.take('a'), bench.take('b'), bench.take('c')]).toEqual([0, 0, 500]);
    bench.now = 499;
    expect(bench.take('c')).toBeGreaterThan(0);
    bench.now = 500;
    expect(bench.take('c')).toBe(0);
  });

  it('gives each of many who wait a moment of its own, in the order in which they came', () => {
    const bench = new Bench().empty();
    expect(['a', 'b', 'c'].map((ticket) => bench.take(ticket))).toEqual([500, 1_000, 1_500]);
    bench.now = 500;
    expect(bench.take('b')).toBe(500); // the first token is a's, who is not late yet
    expect(bench.take('a')).toBe(0);
  });

  it('gives the next token to containment, though evidence and housekeeping have waited longer', () => {
    const bench = new Bench().empty();
    bench.take('housekeeping', HOUSEKEEPING);
    bench.take('evidence', EVIDENCE);
    expect(bench.take('contain', CONTAIN)).toBe(500);
    bench.now = 500;
    expect(bench.take('housekeeping', HOUSEKEEPING)).toBe(1_000);
    expect(bench.take('evidence', EVIDENCE)).toBe(500);
    expect(bench.take('contain', CONTAIN)).toBe(0);
    bench.now = 1_000;
    expect(bench.take('housekeeping', HOUSEKEEPING)).toBe(500);
    expect(bench.take('evidence', EVIDENCE)).toBe(0);
  });

  it('keeps a token for two seconds for one that is late, and no longer', () => {
    const single = { capacity: 1, perSecond: 1 };
    const ask = (state: BucketState, ticket: string, rank: Rank, now: number) =>
      take(state, single, { ticket, rank }, now);
    let { state } = ask(fullBucket(single, 0), 'first', CONTAIN, 0);
    ({ state } = ask(state, 'late', CONTAIN, 0));
    const early = ask(state, 'other', HOUSEKEEPING, 2_900);
    expect(early.waitMs).toBeGreaterThan(0);
    expect(ask(early.state, 'late', CONTAIN, 2_900).waitMs).toBe(0);
    expect(ask(early.state, 'other', HOUSEKEEPING, 3_000).waitMs).toBe(0);
  });

  it('is silent for as long as the provider asked, whoever calls', () => {
    const bench = new Bench();
    bench.state = paused(bench.state, 30_000);
    expect(bench.take('contain', CONTAIN)).toBe(30_000);
    bench.now = 29_999;
    expect(bench.take('contain', CONTAIN)).toBe(1);
    bench.now = 30_000;
    expect(bench.take('contain', CONTAIN)).toBe(0);
  });

  it('never lets through more than its capacity and its rate, however the calls come', () => {
    const bench = new Bench();
    let through = 0;
    for (bench.now = 0; bench.now <= 60_000; bench.now += 37)
      for (const rank of [HOUSEKEEPING, CONTAIN, EVIDENCE])
        if (bench.take(`${bench.now}/${rank}`, rank) === 0) through += 1;
    expect(through).toBeLessThanOrEqual(2 + 120);
    expect(through).toBeGreaterThan(20); // nobody here comes back as told, and yet not everyone is kept out
  });

  it('remembers no more than a thousand who wait, but always what is more urgent than the last of them', () => {
    const bench = new Bench().empty();
    for (let i = 0; i < 1_500; i += 1) bench.take(`mild-${i}`, HOUSEKEEPING);
    expect(bench.state.waiting).toHaveLength(1_000);
    expect(bench.take('contain', CONTAIN)).toBe(500);
    bench.now = 500;
    expect(bench.take('contain', CONTAIN)).toBe(0);
  });

  it('can be forgotten once it is full and nobody waits', () => {
    const bench = new Bench();
    bench.take('a');
    expect(isIdle(bench.state, LIMIT, 0)).toBe(false);
    expect(isIdle(bench.state, LIMIT, 500)).toBe(true);
    expect(isIdle(paused(bench.state, 900), LIMIT, 500)).toBe(false);
  });
});
