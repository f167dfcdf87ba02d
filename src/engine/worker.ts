import type { Bell } from '../core/bell.ts';
import { next } from '../core/next.ts';
import { readSwitches } from '../store/settings.ts';
import { act } from './act.ts';
import { callerUnder, holdLease } from './hold.ts';
import { anyDue, claim, type Lease, nextDue, release, rest, Superseded } from './lease.ts';
import { type Engine, openSession, type Session } from './session.ts';

export interface Worker {
  /** Moves runs as they become due, until it is told to stop; a slow one never holds up another, unless all lanes are taken. */
  run(bell: Bell): Promise<void>;
  /** Moves every run as far as it can go now. Resolves with the time (ms since the epoch) when the next one is due, or null. */
  drain(): Promise<number | null>;
}

export interface WorkerOptions {
  readonly engine: Engine;
  /** Names this process; another process's leases are not ours. */
  readonly owner: string;
  /** How many runs are moved at once. */
  readonly width: number;
  /** The engine itself failed (not a provider): on a run, which is left alone for a while, or for all of them (null), as without a database. */
  readonly onError: (error: unknown, run: string | null) => void;
  readonly stopping: AbortSignal;
  /** Called again and again while the worker is alive. */
  readonly onBeat?: () => void;
}

/** Another process (the command line, a replica) cannot ring our bell: its news are found this soon. */
const POLL_MS = 250;
/** A due run that someone else holds must not make us spin. */
const SHORTEST_MS = 20;

/** So many lanes are kept for runs that are severe and not yet contained, whatever the others wait for. */
const RESERVED = 2;
/** The priority of a run of high severity before its containment. */
const URGENT = 1;

/** How long a run rests after our own code failed on it. */
const AFTER_ERROR_MS = 5_000;
/** How long a lane rests when it cannot even find out what is due. */
const AFTER_OUTAGE_MS = 1_000;

export function createWorker({ engine, owner, width, onError, stopping, onBeat }: WorkerOptions): Worker {
  const { store, clock } = engine;

  async function advance(lease: Lease, sinceNs: bigint): Promise<void> {
    const hold = holdLease(store, lease, clock, sinceNs);
    try {
      const held = { ...engine, caller: callerUnder(hold, engine.caller) };
      const wakeAt = await moveAsFarAsItGoes(held, await openSession(held, lease));
      await release(store, lease, wakeAt);
    } catch (error) {
      if (error instanceof Superseded) return await release(store, lease, clock.now().getTime());
      onError(error, lease.run);
      await rest(store, lease, clock.now().getTime() + AFTER_ERROR_MS);
    } finally {
      hold.end();
    }
  }

  async function moveAsFarAsItGoes(held: Engine, opened: Session): Promise<number | null> {
    let session = opened;
    while (!stopping.aborted) {
      const switches = await readSwitches(store.db);
      const result = await act(held, session, next(session.state, clock.now().getTime(), switches));
      if ('rest' in result) return result.rest;
      session = result.session;
      if (result.again !== undefined) return result.again;
    }
    return clock.now().getTime(); // stopping: whoever comes next goes on from here
  }

  async function lane(worst?: number): Promise<void> {
    while (!stopping.aborted) {
      onBeat?.();
      if (!(await anyDue(store, clock.now(), worst))) return;
      const sinceNs = clock.monotonicNs();
      const lease = await claim(store, owner, clock.now(), worst);
      if (!lease) return;
      await advance(lease, sinceNs);
    }
  }

  async function laneForever(bell: Bell, worst?: number): Promise<void> {
    while (!stopping.aborted) {
      const heard = bell.count;
      const wait = await lane(worst).then(untilDue).catch(outage);
      await bell.wait(wait, heard, stopping);
    }
  }

  async function untilDue(): Promise<number> {
    const due = await nextDue(store);
    return due === null ? POLL_MS : Math.min(POLL_MS, Math.max(due - clock.now().getTime(), SHORTEST_MS));
  }

  /** The database is away: the process stays, and goes on when it is back. */
  function outage(error: unknown): number {
    onError(error, null);
    return AFTER_OUTAGE_MS;
  }

  return {
    async run(bell) {
      await Promise.all(
        Array.from({ length: width }, (_, index) => laneForever(bell, index < RESERVED ? URGENT : undefined)),
      );
    },
    async drain() {
      await Promise.all(Array.from({ length: width }, () => lane()));
      return nextDue(store);
    },
  };
}
