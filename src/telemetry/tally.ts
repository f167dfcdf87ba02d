import type { Entry, StepOutcome } from '../core/entry.ts';

/** What is counted between two readings of the metrics, without the library that renders them. */
export interface Tally {
  readonly contained: number;
  /** Seconds from a run's opening to its proved containment, of every run contained since these were last taken. */
  takeContainSeconds(): readonly number[];
  readonly outcomes: ReadonlyMap<StepOutcome, number>;
  hear(entries: readonly Entry[]): void;
}

/** Without a reader, no more than this is kept. */
const MOST = 10_000;

/** `openedAt` gives when a run was opened (ISO 8601); it is asked after the fact and never awaited by whoever appends. */
export function createTally(openedAt: (run: string) => Promise<string | null>): Tally {
  const outcomes = new Map<StepOutcome, number>();
  let seconds: number[] = [];
  let contained = 0;

  async function timeToContain(run: string, at: number): Promise<void> {
    const opened = await openedAt(run).catch(() => null);
    if (opened === null) return;
    seconds.push(Math.max(0, at - Date.parse(opened)) / 1_000);
    if (seconds.length > MOST) seconds = seconds.slice(-MOST);
  }

  return {
    get contained() {
      return contained;
    },
    outcomes,
    takeContainSeconds() {
      const taken = seconds;
      seconds = [];
      return taken;
    },
    hear(entries) {
      for (const entry of entries) {
        if (entry.type === 'result') outcomes.set(entry.outcome, (outcomes.get(entry.outcome) ?? 0) + 1);
        if (entry.type !== 'decision' || entry.decision.is !== 'phase-ended') continue;
        if (entry.decision.phase !== 'contain' || !entry.decision.ok || entry.run === undefined) continue;
        contained += 1;
        void timeToContain(entry.run, Date.parse(entry.time.utc));
      }
    },
  };
}
