/** How often one token may be used. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/** Counts uses by name. */
export interface Limiter {
  /** 0 when `name` may go on, else how many milliseconds it must wait. */
  waitOf(name: string, nowMs: number): number;
}

/** A token bucket for each name, in this process alone: it protects the process, not a quota. Full ones are forgotten. */
export function createLimiter({ burst, perSecond }: Rate): Limiter {
  const buckets = new Map<string, { left: number; at: number }>();
  const refilled = ({ left, at }: { left: number; at: number }, nowMs: number): number =>
    Math.min(burst, left + (Math.max(0, nowMs - at) / 1_000) * perSecond);
  return {
    waitOf(name, nowMs) {
      for (const [other, bucket] of buckets) if (refilled(bucket, nowMs) >= burst) buckets.delete(other);
      const left = refilled(buckets.get(name) ?? { left: burst, at: nowMs }, nowMs);
      if (left < 1) return Math.ceil(((1 - left) / perSecond) * 1_000);
      buckets.set(name, { left: left - 1, at: nowMs });
      return 0;
    },
  };
}
