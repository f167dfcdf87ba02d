import type { Bell } from '../core/bell.ts';
import { next } from '../core/next.ts';
import { readSwitches } from '../store/settings.ts';
import { act } from './act.ts';
import { anyDue, claim, type Lease, release, Superseded } from './lease.ts';
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
  /** A run whose engine failed (not its provider): it is left alone for a while, and the others go on. */
  readonly onError: (error: unknown, run: string) => void;
  readonly stopping: AbortSignal;
}

/** Another process (the command line, a replica) cannot ring our bell: its news are found this soon. */
const POLL_MS = 250;
/** A due run that someone else holds must not make us spin. */
const SHORTEST_MS = 20;

/** How long a run rests after our own code failed on it. */
const AFTER_ERROR_MS = 5_000;

export function createWorker({ engine, owner, width, onError, stopping }: WorkerOptions): Worker {
  const { store, clock } = engine;

  async function advance(lease: Lease): Promise<void> {
    let session: Session | undefined;
    try {
      session = await openSession(engine, lease);
      const wakeAt = await moveAsFarAsItGoes(session, (moved) => {
        session = moved;
      });
      await release(store, lease, session.lastSeq, wakeAt, clock.now());
    } catch (error) {
      const superseded = error instanceof Superseded;
      if (!superseded) onError(error, lease.run);
      const wakeAt = clock.now().getTime() + (superseded ? 0 : AFTER_ERROR_MS);
      await release(store, lease, session?.lastSeq ?? -1, wakeAt, clock.now());
      if (!superseded) await rest(lease, wakeAt);
    }
  }

  async function moveAsFarAsItGoes(opened: Session, keep: (session: Session) => void): Promise<number | null> {
    let session = opened;
    while (!stopping.aborted) {
      const switches = await readSwitches(store.db);
      const result = await act(engine, session, next(session.state, clock.now().getTime(), switches));
      if ('rest' in result) return result.rest;
      session = result.session;
      keep(session);
      if (result.again !== undefined) return result.again;
    }
    return clock.now().getTime(); // stopping: whoever comes next goes on from here
  }

  /** News must not wake a run that our own code fails on: it would fail again at once, forever. */
  async function rest(lease: Lease, until: number): Promise<void> {
    await store.transaction(async (tx) => {
      await tx
        .updateTable('run')
        .set({ wake_at_ms: until })
        .where('id', '=', lease.run)
        .where('epoch', '=', lease.epoch)
        .execute();
    });
  }

  async function lane(): Promise<void> {
    while (!stopping.aborted) {
      if (!(await anyDue(store, clock.now()))) return;
      const lease = await claim(store, owner, clock.now());
      if (!lease) return;
      await advance(lease);
    }
  }

  async function laneForever(bell: Bell): Promise<void> {
    while (!stopping.aborted) {
      const heard = bell.count;
      await lane();
      const now = clock.now().getTime();
      const due = (await nextDue()) ?? now + POLL_MS;
      await bell.wait(Math.min(POLL_MS, Math.max(due - now, SHORTEST_MS)), heard, stopping);
    }
  }

  async function nextDue(): Promise<number | null> {
    const row = await store.db
      .selectFrom('run')
      .select((run) => run.fn.min('wake_at_ms').as('at'))
      .where('state', '=', 'open')
      .executeTakeFirst();
    return row?.at ?? null;
  }

  return {
    async run(bell) {
      await Promise.all(Array.from({ length: width }, () => laneForever(bell)));
    },
    async drain() {
      await Promise.all(Array.from({ length: width }, lane));
      return nextDue();
    },
  };
}
