/** Wakes whoever waits for news. A ring between looking and waiting is not lost: `wait` is told what was heard before. */
export class Bell {
  #count = 0;
  #waiting: (() => void)[] = [];

  /** How often it has rung. */
  get count(): number {
    return this.#count;
  }

  ring(): void {
    this.#count += 1;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves after `ms`, at the next ring, when `signal` aborts, or at once when it rang since `heard`. */
  async wait(ms: number, heard: number, signal: AbortSignal): Promise<void> {
    if (this.#count !== heard || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal.addEventListener('abort', done, { once: true });
      this.#waiting.push(done);
    });
  }
}
