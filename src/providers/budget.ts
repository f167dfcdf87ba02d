import type { Bucket } from '../core/connector.ts';

/** How many calls a provider is asked for at once: one token bucket per connector and bucket name. */
export interface Budget {
  /** Takes one call. Returns 0 when it may be made now, else how many milliseconds until there is room; nothing is taken then. */
  take(connector: string, bucket: string, now: Date): number;
  /** The provider asked for silence until then. */
  pause(connector: string, bucket: string, until: Date): void;
}

interface State {
  tokens: number;
  at: number;
  pausedUntil: number;
}

/** Buckets that nobody declared have no limit. */
export function createBudget(limits: (connector: string, bucket: string) => Bucket | undefined): Budget {
  const states = new Map<string, State>();
  const stateOf = (key: string, limit: Bucket, now: number): State => {
    const state = states.get(key) ?? { tokens: limit.capacity, at: now, pausedUntil: 0 };
    states.set(key, state);
    return state;
  };
  return {
    take(connector, bucket, date) {
      const limit = limits(connector, bucket);
      if (!limit) return 0;
      const now = date.getTime();
      const state = stateOf(`${connector}/${bucket}`, limit, now);
      state.tokens = Math.min(limit.capacity, state.tokens + (Math.max(0, now - state.at) / 1_000) * limit.perSecond);
      state.at = now;
      if (now < state.pausedUntil) return state.pausedUntil - now;
      if (state.tokens < 1) return Math.ceil(((1 - state.tokens) / limit.perSecond) * 1_000);
      state.tokens -= 1;
      return 0;
    },
    pause(connector, bucket, until) {
      const limit = limits(connector, bucket);
      if (!limit) return;
      const state = stateOf(`${connector}/${bucket}`, limit, until.getTime());
      state.pausedUntil = Math.max(state.pausedUntil, until.getTime());
    },
  };
}
