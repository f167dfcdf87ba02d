import type { Bucket } from '../core/connector.ts';
import type { Failure } from '../core/failure.ts';
import type { Severity } from '../core/finding.ts';
import type { Json, JsonObject } from '../core/json.ts';
import { ask, type BreakerStanding, type BreakerState, CLOSED, heard, standingOf } from './breaker.ts';
import { type BucketState, fullBucket, isIdle, paused, type Rank, take, tokensLeft, type Wish } from './budget.ts';
import type { Registry } from './registry.ts';

/** Where a call goes: providers count, and fail, for each account by itself. */
export interface Way {
  readonly connector: string;
  readonly bucket: string;
  /** Empty where the call does not say. */
  readonly account: string;
}

export interface Asked extends Wish {
  /** Contains: an open breaker does not keep it away for longer than it would wait before its next try. */
  readonly urgent: boolean;
}

/** Lets calls through to providers as fast as they allow and while they answer, the most urgent first. */
export interface Gate {
  /** 0 when the call may be made now, and `left` must be told what came of it; else the milliseconds until it is worth asking again. */
  enter(way: Way, asked: Asked, now: Date): number;
  /** What came of a call: null for an answer. A wish for silence holds for everyone on that way. */
  left(way: Way, failure: Failure | null, now: Date): void;
  view(now: Date): GateView;
}

/** Over all accounts: the least budget, the worst breaker. */
export interface GateView {
  readonly budgets: readonly {
    readonly connector: string;
    readonly bucket: string;
    readonly left: number;
    readonly waiting: number;
  }[];
  readonly breakers: readonly { readonly connector: string; readonly standing: BreakerStanding }[];
}

/** So many accounts are remembered; those of which nothing is left to remember make room first. */
const MOST_REMEMBERED = 5_000;

interface Remembered<T> {
  readonly way: Way;
  readonly state: T;
}

/** `limits` holds the buckets of each connector; a bucket that nobody declared has no limit. */
export function createGate(limits: ReadonlyMap<string, Readonly<Record<string, Bucket>>>): Gate {
  const buckets = new Map<string, Remembered<BucketState>>();
  const breakers = new Map<string, Remembered<BreakerState>>();
  const limitOf = ({ connector, bucket }: Way): Bucket | undefined => limits.get(connector)?.[bucket];

  const bucketOf = (way: Way, limit: Bucket, now: number): BucketState =>
    buckets.get(bucketKey(way))?.state ?? fullBucket(limit, now);
  const breakerOf = (way: Way): BreakerState => breakers.get(breakerKey(way))?.state ?? CLOSED;
  const keepBucket = (way: Way, limit: Bucket, state: BucketState, now: number): void => {
    keep(buckets, bucketKey(way), { way, state }, isIdle(state, limit, now));
  };
  const keepBreaker = (way: Way, state: BreakerState): void => {
    keep(breakers, breakerKey(way), { way, state }, state.is === 'closed' && state.failures === 0);
  };

  return {
    enter(way, asked, date) {
      const now = date.getTime();
      const limit = limitOf(way);
      const taken = limit && take(bucketOf(way, limit, now), limit, asked, now);
      if (limit && taken && taken.waitMs > 0) {
        keepBucket(way, limit, taken.state, now);
        return taken.waitMs;
      }
      const admitted = ask(breakerOf(way), asked.urgent, now);
      if (admitted.waitMs > 0) return admitted.waitMs; // the token stays
      if (limit && taken) keepBucket(way, limit, taken.state, now);
      keepBreaker(way, admitted.state);
      return 0;
    },
    left(way, failure, date) {
      const now = date.getTime();
      keepBreaker(way, heard(breakerOf(way), failure?.code ?? null, now));
      const limit = limitOf(way);
      if (!limit || failure?.retryAfterMs === undefined) return;
      keepBucket(way, limit, paused(bucketOf(way, limit, now), now + failure.retryAfterMs), now);
    },
    view(date) {
      const now = date.getTime();
      return { budgets: budgetsOf(limits, buckets, now), breakers: breakersOf(limits, breakers, now) };
    },
  };
}

const bucketKey = ({ connector, bucket, account }: Way): string => `${connector}/${bucket}/${account}`;
const breakerKey = ({ connector, account }: Way): string => `${connector}/${account}`;

/** A map in the order of last use, without what says nothing. */
function keep<T>(map: Map<string, Remembered<T>>, key: string, value: Remembered<T>, saysNothing: boolean): void {
  map.delete(key);
  if (saysNothing) return;
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MOST_REMEMBERED && oldest !== undefined) map.delete(oldest);
}

function budgetsOf(
  limits: ReadonlyMap<string, Readonly<Record<string, Bucket>>>,
  buckets: ReadonlyMap<string, Remembered<BucketState>>,
  now: number,
): GateView['budgets'] {
  return [...limits].flatMap(([connector, declared]) =>
    Object.entries(declared).map(([bucket, limit]) => {
      const states = [...buckets.values()].filter(({ way }) => way.connector === connector && way.bucket === bucket);
      const left = Math.min(limit.capacity, ...states.map(({ state }) => tokensLeft(state, limit, now)));
      const waiting = states.reduce(
        (sum, { state }) => sum + state.waiting.filter((each) => each.until > now).length,
        0,
      );
      return { connector, bucket, left, waiting };
    }),
  );
}

const WORST: readonly BreakerStanding[] = ['open', 'half-open', 'closed'];

function breakersOf(
  limits: ReadonlyMap<string, unknown>,
  breakers: ReadonlyMap<string, Remembered<BreakerState>>,
  now: number,
): GateView['breakers'] {
  return [...limits.keys()].map((connector) => {
    const standings = [...breakers.values()]
      .filter(({ way }) => way.connector === connector)
      .map(({ state }) => standingOf(state, now));
    return { connector, standing: WORST.find((each) => standings.includes(each)) ?? 'closed' };
  });
}

const BY_SEVERITY = { critical: 0, high: 1, medium: 2, low: 3 } as const satisfies Record<Severity, number>;

/** Calls of a lower class go first; within one, those for what is more severe. */
export const rankOf = (callClass: number, severity: Severity): Rank => callClass * 4 + BY_SEVERITY[severity];

/** The way of an operation's call with this input; undefined when no configured connector has it. */
export function wayOf(registry: Registry, operation: string, input: Json): Way | undefined {
  const connector = registry.ownerOf(operation)?.name;
  const bucket = registry.operation(operation)?.bucket;
  return connector !== undefined && bucket !== undefined ? { connector, bucket, account: accountIn(input) } : undefined;
}

const ACCOUNT_NAMES = ['account', 'owner', 'organization', 'org', 'project', 'tenant'] as const;

/** Whose account an input names, in itself or in its `where`. */
export function accountIn(input: Json | undefined): string {
  if (!isObject(input)) return '';
  const own = ACCOUNT_NAMES.map((name) => input[name]).find((each) => typeof each === 'string');
  if (typeof own === 'string') return own.slice(0, 100);
  return accountIn(input.where);
}

const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
