import { parse } from 'node-cron';

/** Longer than from one 29 February to the next, across a century without one. */
const MOST_DAYS = 366 * 9;
const DAY_MS = 86_400_000;

/**
 * The newest moment that `pattern` names at or before `now`, in UTC, where no hour comes twice or not at all. A pattern is
 * `minute hour day-of-month month day-of-week`, each of which must match. Throws when it is none, or names no moment.
 */
export function slotAt(pattern: string, now: Date): Date {
  const fields = parse(pattern);
  const descending = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => b - a);
  const [hours, minutes, seconds] = [fields.hour, fields.minute, fields.second].map(descending);
  const onDay = (day: Date): boolean =>
    fields.month.includes(day.getUTCMonth() + 1) &&
    fields.dayOfMonth.includes(day.getUTCDate()) &&
    fields.dayOfWeek.some((each) => Number(each) % 7 === day.getUTCDay());
  const today = Math.floor(now.getTime() / DAY_MS) * DAY_MS;
  for (let back = 0; back < MOST_DAYS; back += 1) {
    const midnight = today - back * DAY_MS;
    if (!onDay(new Date(midnight))) continue;
    for (const hour of hours ?? [])
      for (const minute of minutes ?? [])
        for (const second of seconds ?? []) {
          const at = midnight + hour * 3_600_000 + minute * 60_000 + second * 1_000;
          if (at <= now.getTime()) return new Date(at);
        }
  }
  throw new Error(`The schedule "${pattern}" names no moment.`);
}
