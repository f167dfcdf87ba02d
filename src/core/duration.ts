/** A span of time as people write it: `250ms`, `30s`, `5m`, `12h`, `7d`. */
export type Duration = `${number}${keyof typeof UNIT_MS}`;

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const SHAPE = /^(\d{1,6})(ms|s|m|h|d)$/;

export const isDuration = (text: string): text is Duration => SHAPE.test(text);

/** The length of `duration` in milliseconds. Throws a RangeError that names the text when it is not a duration. */
export function milliseconds(duration: Duration): number {
  const [, amount, unit] = SHAPE.exec(duration) ?? [];
  if (!amount || !unit) throw new RangeError(`"${duration}" is not a duration: write for example 30s, 5m, 12h or 7d`);
  return Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS];
}

/** `ms` as a person says it, in its two largest units: `1m 5s`, `2d`, `340ms`. */
export function spoken(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < 10_000 && ms % 1_000 !== 0) return `${(ms / 1_000).toFixed(1)}s`;
  const parts: string[] = [];
  let rest = Math.round(ms / 1_000) * 1_000;
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const count = Math.floor(rest / UNIT_MS[unit]);
    rest -= count * UNIT_MS[unit];
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join(' ');
}
