import type { Json } from '../core/json.ts';
import type { RunView } from '../incident/view.ts';
import { oneLine } from '../incident/words/text.ts';

/** What one read of the assessment found. */
export interface Fact {
  /** What was read: the step's title. */
  readonly read: string;
  readonly found: string;
}

const MOST = 400;
const DEEPEST = 4;

/** What the assessment found out about the credential: what it could do, who used it, when it was last used. */
export const factsOf = ({ phases }: RunView): readonly Fact[] =>
  phases
    .filter(({ phase }) => phase === 'assess')
    .flatMap(({ steps }) => steps)
    .map(({ step, state }) => {
      const read = oneLine(step.title);
      if (state?.is === 'done') return { read, found: cut(wordsOf(state.out)) };
      if (state?.is === 'failed' || state?.is === 'unknown')
        return { read, found: oneLine(`could not be read: ${state.error.message}`) };
      return { read, found: 'not read yet' };
    });

/** Any value as a person reads it: `attached: A, B; administrator: no`. */
export function wordsOf(value: Json, depth = 0): string {
  if (value === null || value === '') return 'none';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value !== 'object') return oneLine(String(value));
  if (depth >= DEEPEST) return '…';
  if (Array.isArray(value)) return value.map((each: Json) => wordsOf(each, depth + 1)).join(', ') || 'none';
  const parts = Object.entries(value).flatMap(([name, member]) =>
    member === undefined ? [] : [`${spaced(name)}: ${wordsOf(member, depth + 1)}`],
  );
  const joined = parts.join('; ') || 'none';
  return depth === 0 || parts.length < 2 ? joined : `(${joined})`;
}

/** `canChangeIam` → `can change iam`; names that are data (`s3:GetObject`, `203.0.113.9`) stay as they are. */
const spaced = (name: string): string =>
  /^[a-z][A-Za-z]*$/.test(name) ? name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`) : oneLine(name);

const cut = (text: string): string => (text.length > MOST ? `${text.slice(0, MOST - 1)}…` : text);
