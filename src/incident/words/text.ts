const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** A span in its two largest units: `4 s`, `3 min 12 s`, `6 d 3 h`; less than a second is `0 s`. */
export function elapsed(ms: number): string {
  let rest = Math.max(0, Math.floor(ms / 1_000)) * 1_000;
  const parts = UNITS.flatMap(([unit, size]) => {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    return [{ unit, amount }];
  });
  const first = parts.findIndex(({ amount }) => amount > 0);
  if (first < 0) return '0 s';
  const shown = parts.slice(first, first + 2).filter(({ amount }) => amount > 0);
  return shown.map(({ unit, amount }) => `${amount} ${unit}`).join(' ');
}

/** Relative and absolute with its zone: `4 s ago · 03:12:09 UTC`; the date is added when it is not today's. */
export function when(iso: string, now: Date): string {
  const at = Date.parse(iso);
  const ms = now.getTime() - at;
  const day = iso.slice(0, 10) === now.toISOString().slice(0, 10) ? '' : `${new Date(at).toISOString().slice(0, 10)} `;
  return `${ms < 0 ? `in ${elapsed(-ms)}` : `${elapsed(ms)} ago`} · ${day}${new Date(at).toISOString().slice(11, 19)} UTC`;
}

/** `2026-03-01 03:12:09 UTC`. */
export const stamp = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** `text` on one line, without control characters, zero-width characters and marks that turn the reading direction. */
export const oneLine = (text: string): string =>
  text
    .replace(/\s+/g, ' ')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '')
    .trim();

/** `a, b and c`. */
export function inWords(items: readonly string[], last: 'and' | 'or' = 'and'): string {
  const head = items.slice(0, -1);
  return head.length === 0 ? (items[0] ?? '') : `${head.join(', ')} ${last} ${items.at(-1)}`;
}

/** Ends a sentence before the next one follows. */
export const stop = (text: string): string => (/[.!?…]$/.test(text.trim()) ? text.trim() : `${text.trim()}.`);

export const tail = (text: string | undefined): string => (text ? `: ${text}` : '');

export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
