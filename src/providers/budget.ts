import type { Bucket } from '../core/connector.ts';

/** Lower goes first. */
export type Rank = number;

/**
 * A token bucket with a queue: whoever found it empty keeps a place, the more urgent before the less, and a token is never
 * given to one while a more urgent one waits for it. Times are milliseconds since the epoch.
 */
export interface BucketState {
  readonly tokens: number;
  readonly at: number;
  readonly pausedUntil: number;
  /** Since when nobody took a token that was there to be taken; null while it is not full. */
  readonly fullSince: number | null;
  readonly waiting: readonly Waiting[];
}

interface Waiting {
  readonly ticket: string;
  readonly rank: Rank;
  /** When its place is given up, because it never came back. */
  readonly until: number;
}

/** Who asks for a token. The same `ticket` again is the same call, come back. */
export interface Wish {
  readonly ticket: string;
  readonly rank: Rank;
}

/** Past this many, one is told when to come back and keeps no place: a flood must not grow the queue. */
const MOST_WAITING = 1_000;
const ROUNDING = 1e-6;

/** How late one that was told to come back may be before its place is given away. */
const PATIENCE_MS = 2_000;

export const fullBucket = ({ capacity }: Bucket, now: number): BucketState => ({
  tokens: capacity,
  at: now,
  pausedUntil: 0,
  fullSince: now,
  waiting: [],
});

/** Takes a token, or says in how many milliseconds it may be worth asking again; nothing is taken then. Pure. */
export function take(
  before: BucketState,
  limit: Bucket,
  { ticket, rank }: Wish,
  now: number,
): { readonly state: BucketState; readonly waitMs: number } {
  const state = refilled(before, limit, now);
  const others = state.waiting.filter((each) => each.ticket !== ticket && each.until > now);
  const own = state.waiting.findIndex((each) => each.ticket === ticket);
  const ahead = others.filter(
    (each, index) => each.rank < rank || (each.rank === rank && (own < 0 || index < own)),
  ).length;
  const silent = Math.max(0, state.pausedUntil - now);
  // Those ahead had their chance: a token that lies there is of no use to one who never comes.
  const forsaken = state.fullSince !== null && now - Math.max(state.fullSince, state.pausedUntil) >= PATIENCE_MS;
  if (silent === 0 && (forsaken || state.tokens + ROUNDING >= ahead + 1))
    return { state: { ...state, tokens: state.tokens - 1, fullSince: null, waiting: others }, waitMs: 0 };
  const missing = Math.max(0, ahead + 1 - state.tokens);
  const waitMs = Math.max(1, silent + Math.ceil((missing / limit.perSecond) * 1_000));
  if (own < 0 && others.length >= MOST_WAITING && rank >= (others.at(-1)?.rank ?? 0))
    return { state: { ...state, waiting: others }, waitMs };
  const place: Waiting = { ticket, rank, until: now + waitMs + PATIENCE_MS };
  const waiting = others.toSpliced(own < 0 ? others.length : Math.min(own, others.length), 0, place);
  return { state: { ...state, waiting }, waitMs };
}

/** The provider asked for silence until then. */
export const paused = (state: BucketState, until: number): BucketState => ({
  ...state,
  pausedUntil: Math.max(state.pausedUntil, until),
});

/** Whether forgetting it would change nothing. */
export const isIdle = (state: BucketState, limit: Bucket, now: number): boolean =>
  refilled(state, limit, now).tokens >= limit.capacity &&
  state.pausedUntil <= now &&
  state.waiting.every((each) => each.until <= now);

export const tokensLeft = (state: BucketState, limit: Bucket, now: number): number =>
  state.pausedUntil > now ? 0 : Math.floor(refilled(state, limit, now).tokens);

function refilled(state: BucketState, { capacity, perSecond }: Bucket, now: number): BucketState {
  const elapsed = Math.max(0, now - state.at);
  const tokens = Math.min(capacity, state.tokens + (elapsed / 1_000) * perSecond);
  const fullAt = state.at + ((capacity - state.tokens) / perSecond) * 1_000;
  const fullSince = tokens < capacity ? null : (state.fullSince ?? fullAt);
  return { ...state, tokens, fullSince, at: Math.max(state.at, now) };
}
