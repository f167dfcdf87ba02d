/** What the script did and found, printed as it goes. */
export interface Report {
  /** A new part of the story. */
  chapter(title: string): void;
  /** What is done now. */
  doing(what: string): void;
  /** One thing that must hold. `seen` is printed when it does not. */
  check(promise: string, holds: boolean, seen?: string): void;
  /** The last line; true when nothing failed. */
  end(): boolean;
}

export function openReport(print: (line: string) => void, now: () => number): Report {
  const began = now();
  const count = { passed: 0, failed: 0 };
  const at = (): string => `${((now() - began) / 1_000).toFixed(1)} s`.padStart(8);
  return {
    chapter: (title) => print(`\n${title}`),
    doing: (what) => print(`${at()}  … ${what}`),
    check(promise, holds, seen) {
      count[holds ? 'passed' : 'failed'] += 1;
      print(`${at()}  ${holds ? '✓' : '✗ FAILED:'} ${promise}`);
      if (!holds && seen !== undefined) for (const line of seen.split('\n')) print(`${' '.repeat(14)}${line}`);
    },
    end() {
      print(`\n${count.passed} passed, ${count.failed} failed`);
      return count.failed === 0;
    },
  };
}
