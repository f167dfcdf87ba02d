import { describe, expect, it } from 'vitest';
import { FloodGate } from '../../src/ingest/flood.ts';

describe('the flood gate', () => {
  it('admits up to its limit in a window and counts the rest', () => {
    const gate = new FloodGate(2, 1_000);
    expect([0, 1, 2, 3].map((at) => gate.admits('a', 10, at))).toEqual([true, true, false, false]);
    expect(gate.take(999)).toEqual([]);
    expect(gate.take(1_000)).toEqual([{ source: 'a', count: 2, bytes: 20, sinceMs: 0 }]);
    expect(gate.take(1_000, true)).toEqual([]);
    expect(gate.admits('a', 10, 1_001)).toBe(true);
  });

  it('opens again by itself after a window that missed nothing', () => {
    const gate = new FloodGate(1, 1_000);
    expect([0, 1_000, 2_000].map((at) => gate.admits('a', 10, at))).toEqual([true, true, true]);
  });

  it('keeps what it missed, and since when, until that is taken', () => {
    const gate = new FloodGate(1, 1_000);
    for (const at of [0, 1, 5_000, 9_000]) gate.admits('a', 10, at);
    expect(gate.take(9_001)).toEqual([{ source: 'a', count: 3, bytes: 30, sinceMs: 0 }]);
  });

  it('adds what is given back to what it has missed since', () => {
    const gate = new FloodGate(1, 1_000);
    gate.admits('a', 10, 0);
    gate.admits('a', 10, 1);
    const taken = gate.take(2_000);
    gate.admits('a', 10, 2_000);
    gate.admits('a', 10, 2_001);
    gate.giveBack(taken);
    expect(gate.take(2_002)).toEqual([{ source: 'a', count: 2, bytes: 20, sinceMs: 0 }]);
  });
});
