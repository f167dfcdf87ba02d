/** Time comes in from outside, so that a drill can pass a week in a second and a test never sleeps in hope. */
export interface Clock {
  /** Written into every entry: a reader must know whether these times were lived. */
  readonly source: 'system' | 'virtual';
  now(): Date;
  /** Nanoseconds on a clock that never goes back within one boot of the process. */
  monotonicNs(): bigint;
}

export const systemClock: Clock = {
  source: 'system',
  now: () => new Date(),
  monotonicNs: () => process.hrtime.bigint(),
};

/** A clock that moves only when told to. */
export class VirtualClock implements Clock {
  readonly source = 'virtual';
  #ms: number;
  constructor(start: Date) {
    this.#ms = start.getTime();
  }
  now(): Date {
    return new Date(this.#ms);
  }
  monotonicNs(): bigint {
    return BigInt(this.#ms) * 1_000_000n;
  }
  /** Moves forward to `date`; a date in the past leaves the clock where it is. */
  moveTo(date: Date): void {
    this.#ms = Math.max(this.#ms, date.getTime());
  }
  advance(ms: number): void {
    this.#ms += ms;
  }
}
