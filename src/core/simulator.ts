import type { Env } from './connector.ts';

/**
 * A provider in memory that speaks the provider's own HTTP, for drills, the sandbox and tests. Connectors do not know it from
 * the real one: they are pointed at it by their settings.
 */
export interface Simulator {
  readonly fetch: (request: Request) => Promise<Response>;
  /** The settings that point the connectors at this simulator, served at `url`. */
  readonly env: (url: string) => Env;
}

/**
 * What can go wrong with one call:
 * `deny` 403 · `missing` 404 · `conflict` 409 · `throttle` 429 with Retry-After · `error` 503, nothing applied ·
 * `error-after` applied, then 500 · `garbage` 200 with a body that is not the provider's · `hang` no answer ·
 * `drop-after` applied, then the connection closes · `lie` 200 as if it were done, and nothing was applied.
 */
export type Fault =
  | 'deny'
  | 'missing'
  | 'conflict'
  | 'throttle'
  | 'error'
  | 'error-after'
  | 'garbage'
  | 'hang'
  | 'drop-after'
  | 'lie';

/** Faults that a simulator will show, each once, in the order in which they were asked for. */
export class Faults {
  readonly #waiting: { readonly action: string; readonly fault: Fault }[] = [];

  /** The next `times` calls of `action` (the provider's name for it: `UpdateAccessKey`, `POST /credentials/revoke`) go wrong. */
  inject(action: string, fault: Fault, times = 1): void {
    for (let i = 0; i < times; i += 1) this.#waiting.push({ action, fault });
  }

  /** The fault that this call of `action` must show, if any; taken off the list. */
  take(action: string): Fault | undefined {
    const index = this.#waiting.findIndex((waiting) => waiting.action === action);
    return index < 0 ? undefined : this.#waiting.splice(index, 1)[0]?.fault;
  }
}
