import { milliseconds } from '../core/duration.ts';
import { type Log, traceOf } from './log.ts';

export interface LoopOptions {
  /** Whether everything that was due is done. */
  readonly attempt: () => Promise<boolean>;
  /** Calls whenever something was committed, here or, as far as this process hears of it, elsewhere; returns the way to stop. */
  readonly onNews: (listener: () => void) => () => void;
  readonly log: Log;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
}

/** For what other processes commit, which no listener here hears of. */
const POLL = milliseconds('5s');
const SOONEST = milliseconds('1s');
const SLOWEST = milliseconds('1m');

/** Attempts after every commit and every few seconds; slower and slower, up to a minute, while attempts fail. */
export function createLoop({ attempt, onNews, log, sleep }: LoopOptions): { start(): void; stop(): Promise<void> } {
  let stopping: AbortController | undefined;
  let looping: Promise<void> = Promise.resolve();
  let unsubscribe: () => void = () => {};
  let news = false;
  let nap = new AbortController();

  async function run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      news = false;
      nap = new AbortController();
      failures = (await succeeds()) ? 0 : failures + 1;
      if (failures > 0) await sleep(Math.min(SLOWEST, SOONEST * 2 ** failures), signal);
      else if (!news) await sleep(POLL, AbortSignal.any([signal, nap.signal]));
    }
  }

  async function succeeds(): Promise<boolean> {
    try {
      return await attempt();
    } catch (error) {
      log.error(traceOf(error), 'What Slack shows could not be brought up to date; trying again');
      return false;
    }
  }

  return {
    start() {
      if (stopping) return;
      stopping = new AbortController();
      unsubscribe = onNews(() => {
        news = true;
        nap.abort();
      });
      looping = run(stopping.signal);
    },
    async stop() {
      unsubscribe();
      stopping?.abort();
      await looping;
      stopping = undefined;
    },
  };
}
