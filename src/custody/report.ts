/** What one check of the verifier found. A failed one says where: a file and line, byte or entry. */
export type Check =
  | { readonly name: string; readonly ok: true; readonly detail: string }
  | { readonly name: string; readonly ok: false; readonly detail: string; readonly where: string };

/** Thrown inside a check: this is not as it should be, and there is the place. */
export class Suspicion extends Error {
  override readonly name = 'Suspicion';
  readonly where: string;
  constructor(where: string, what: string, cause?: unknown) {
    super(what, { cause });
    this.where = where;
  }
}

/** What a check gives to those after it, and what it says when it passes. */
export interface Passed<T> {
  readonly value: T;
  readonly detail: string;
}

/** Runs checks one after the other and keeps what they found. A check whose basis is missing fails: nothing passes unlooked at. */
export class Examination {
  readonly checks: Check[] = [];
  readonly #untilFirstFailure: boolean;
  constructor(untilFirstFailure = false) {
    this.#untilFirstFailure = untilFirstFailure;
  }

  get ok(): boolean {
    return this.checks.every((check) => check.ok);
  }

  /** Gives what `run` found, or undefined when it failed. `place` is where to look when its error does not say better. */
  check<T>(name: string, place: string, run: () => Passed<T>): T | undefined {
    if (this.#untilFirstFailure && !this.ok) return undefined;
    try {
      const { value, detail } = run();
      this.checks.push({ name, ok: true, detail });
      return value;
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const where = 'where' in error && typeof error.where === 'string' ? error.where : place;
      this.checks.push({ name, ok: false, detail: error.message, where });
      return undefined;
    }
  }
}

/** The basis of a check. Throws Suspicion when an earlier check did not provide it. */
export function need<T>(value: T | undefined, place: string): T {
  if (value === undefined) throw new Suspicion(place, 'Not checked, because what it rests on failed above');
  return value;
}
