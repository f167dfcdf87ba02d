/** At most so many within so long. */
export interface Rate {
  readonly most: number;
  readonly windowMs: number;
}

interface Level {
  left: number;
  at: number;
}

/**
 * Holds each source to a rate, and keeps a share on top of it for what is critical: a flood of the rest cannot use that up.
 * `source` must come from a list of ours, or this map is what grows.
 */
export class SourceRates {
  readonly #rate: Rate;
  readonly #reserve: number;
  readonly #levels = new Map<string, Level>();

  constructor(rate: Rate, reserve: number) {
    this.#rate = rate;
    this.#reserve = rate.most * reserve;
  }

  /** 0 when one more may come, which is then counted; else how many milliseconds until it may. */
  take(source: string, critical: boolean, nowMs: number): number {
    const { most, windowMs } = this.#rate;
    const level = this.#levels.get(source) ?? { left: most, at: nowMs };
    this.#levels.set(source, level);
    level.left = Math.min(most, level.left + (Math.max(0, nowMs - level.at) / windowMs) * most);
    level.at = nowMs;
    const missing = (critical ? 1 - this.#reserve : 1) - level.left;
    if (missing > 0) return Math.max(1, Math.ceil((missing / most) * windowMs));
    level.left -= 1;
    return 0;
  }
}
