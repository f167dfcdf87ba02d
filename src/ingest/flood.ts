/** What was kept out of the ledger, for the one entry that will speak for all of it. */
export interface Missed {
  readonly source: string;
  readonly count: number;
  readonly bytes: number;
  /** When the window began, ms since the epoch. */
  readonly sinceMs: number;
}

interface Window {
  sinceMs: number;
  admitted: number;
  count: number;
  bytes: number;
}

/**
 * Counts, for each source, what may have an entry of its own: callers whom nobody authenticated must not be able to grow a ledger
 * that never forgets. `source` must come from a list of ours, or this map is what grows.
 */
export class FloodGate {
  readonly #limit: number;
  readonly #windowMs: number;
  readonly #windows = new Map<string, Window>();

  constructor(limit: number, windowMs: number) {
    this.#limit = limit;
    this.#windowMs = windowMs;
  }

  /** Whether one of `bytes` from `source` may have an entry; if not, it is counted. */
  admits(source: string, bytes: number, nowMs: number): boolean {
    const window = this.#windows.get(source) ?? { sinceMs: nowMs, admitted: 0, count: 0, bytes: 0 };
    this.#windows.set(source, window);
    // A window with misses stays until they are taken, or they would be forgotten.
    if (window.count === 0 && nowMs - window.sinceMs >= this.#windowMs)
      Object.assign(window, { sinceMs: nowMs, admitted: 0 });
    if (window.admitted < this.#limit) {
      window.admitted += 1;
      return true;
    }
    window.count += 1;
    window.bytes += bytes;
    return false;
  }

  /** Takes what was missed in windows that are over (all of them with `evenOpen`), to be told now or given back. */
  take(nowMs: number, evenOpen = false): readonly Missed[] {
    const over = [...this.#windows].filter(
      ([, { sinceMs, count }]) => count > 0 && (evenOpen || nowMs - sinceMs >= this.#windowMs),
    );
    return over.map(([source, { sinceMs, count, bytes }]) => {
      this.#windows.delete(source);
      return { source, count, bytes, sinceMs };
    });
  }

  /** For a ledger that refused to be told. */
  giveBack(missed: readonly Missed[]): void {
    for (const { source, count, bytes, sinceMs } of missed) {
      const window = this.#windows.get(source) ?? { sinceMs, admitted: 0, count: 0, bytes: 0 };
      this.#windows.set(source, {
        sinceMs: Math.min(window.sinceMs, sinceMs),
        admitted: window.admitted,
        count: window.count + count,
        bytes: window.bytes + bytes,
      });
    }
  }
}
