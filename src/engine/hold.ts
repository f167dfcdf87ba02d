import type { Clock } from '../core/clock.ts';
import type { Caller } from '../providers/caller.ts';
import type { Store } from '../store/store.ts';
import { LEASE_MS, type Lease, renew, Superseded } from './lease.ts';

const RENEW_MS = 1_500;
/** We stop believing in our lease before the others do: their clocks may be a little ahead of ours. */
const MARGIN_MS = 500;

/** A lease that is renewed in the background for as long as it is held, so that a slow provider does not cost us the run. */
export interface Hold {
  /** Aborts when the lease is lost. */
  readonly lost: AbortSignal;
  /** Throws Superseded when the lease is lost, or may have run out while this process was stopped. Asks nobody, so it costs nothing. */
  check(): void;
  end(): void;
}

/** `sinceNs`: the monotonic time just before the lease was asked for; no jump of the wall clock moves our own deadline. */
export function holdLease(store: Store, lease: Lease, clock: Clock, sinceNs: bigint): Hold {
  const term = BigInt(LEASE_MS - MARGIN_MS) * 1_000_000n;
  const lost = new AbortController();
  let deadline = sinceNs + term;

  async function renewOnce(): Promise<void> {
    const asked = clock.monotonicNs();
    const ours = await renew(store, lease, clock.now());
    if (ours) deadline = asked + term;
    else lost.abort();
  }

  // While the database is away the deadline draws near; past it, nothing is done under this lease any more.
  const timer = setInterval(() => void renewOnce().catch(() => {}), RENEW_MS);
  return {
    lost: lost.signal,
    check() {
      if (clock.monotonicNs() > deadline) lost.abort();
      if (lost.signal.aborted) throw new Superseded(`the lease on run ${lease.run} (epoch ${lease.epoch}) is over`);
    },
    end: () => clearInterval(timer),
  };
}

/**
 * `caller`, for as long as the lease lasts: a process that was stopped between its intent and its call, and wakes when another has
 * taken the run over, does not call any more (Superseded), and a call that is under way is told to end when the lease is lost.
 */
export const callerUnder = (hold: Hold, caller: Caller): Caller => ({
  async call(options, ask) {
    hold.check();
    return caller.call(options, (ctx) => ask({ ...ctx, signal: AbortSignal.any([ctx.signal, hold.lost]) }));
  },
});
