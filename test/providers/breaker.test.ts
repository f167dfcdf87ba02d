import { describe, expect, it } from 'vitest';
import type { FailureCode } from '../../src/core/failure.ts';
import { ask, type BreakerState, CLOSED, heard, standingOf } from '../../src/providers/breaker.ts';

class Bench {
  now = 0;
  state: BreakerState = CLOSED;
  ask(urgent = false): number {
    const { state, waitMs } = ask(this.state, urgent, this.now);
    this.state = state;
    return waitMs;
  }
  hear(...codes: (FailureCode | null)[]): this {
    for (const code of codes) this.state = heard(this.state, code, this.now);
    return this;
  }
  get standing() {
    return standingOf(this.state, this.now);
  }
}

const DOWN = ['unavailable', 'timeout', 'unavailable', 'timeout', 'unavailable'] as const;

describe('a breaker', () => {
  it('opens after five calls in a row without an answer, and lets nobody through', () => {
    const bench = new Bench().hear(...DOWN.slice(1));
    expect([bench.standing, bench.ask()]).toEqual(['closed', 0]);
    bench.hear('timeout');
    expect([bench.standing, bench.ask()]).toEqual(['open', 1_000]);
  });

  it.each([null, 'throttled', 'busy', 'denied', 'missing', 'conflict', 'garbled'] as const)(
    'counts anew after an answer (%s): only a living provider gives one',
    (code) => {
      const bench = new Bench().hear(...DOWN.slice(1), code, ...DOWN.slice(1));
      expect(bench.standing).toBe('closed');
    },
  );

  it.each(['bug', 'invalid'] as const)('learns nothing from a call that failed before it asked (%s)', (code) => {
    expect(new Bench().hear(...DOWN.slice(1), code, 'timeout').standing).toBe('open');
  });

  it('lets exactly one call find out after the cool-down, and everyone once that was answered', () => {
    const bench = new Bench().hear(...DOWN);
    bench.now = 1_000;
    expect([bench.ask(), bench.ask(), bench.ask()].map((wait) => wait > 0)).toEqual([false, true, true]);
    expect(bench.standing).toBe('half-open');
    bench.hear(null);
    expect([bench.standing, bench.ask(), bench.ask()]).toEqual(['closed', 0, 0]);
  });

  it('stays away twice as long after every call that finds it still down, up to a minute', () => {
    const bench = new Bench().hear(...DOWN);
    const waits: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      const wait = bench.ask();
      waits.push(wait);
      bench.now += wait;
      expect(bench.ask()).toBe(0);
      bench.hear('timeout');
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it('is not opened further by calls that began before it opened', () => {
    const bench = new Bench().hear(...DOWN, ...DOWN, ...DOWN);
    expect(bench.ask()).toBe(1_000);
  });

  it('lets a containment find out at once, and keeps it away for a second at most', () => {
    const bench = new Bench().hear(...DOWN);
    for (let i = 0; i < 6; i += 1) {
      expect(bench.ask(true)).toBe(0);
      bench.hear('unavailable');
    }
    expect(bench.ask(false)).toBeGreaterThan(30_000);
    expect(bench.ask(true)).toBe(0);
    expect(bench.ask(true)).toBe(1_000); // one is already finding out
  });

  it('does not wait for ever for one that was to find out and never told', () => {
    const bench = new Bench().hear(...DOWN);
    bench.now = 1_000;
    expect(bench.ask()).toBe(0);
    bench.now = 31_000;
    expect(bench.ask()).toBe(0);
  });
});
