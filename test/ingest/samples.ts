import { readFileSync } from 'node:fs';

// Put together at run time: a scanner must find nothing in this tree.
export const AWS_KEY = ['AKIA', 'IOSFODNN7EXAMPLE'].join('');
export const SESSION_KEY = ['ASIA', 'IOSFODNN7EXAMPLE'].join('');
export const GITHUB_TOKEN = ['ghp', 'a1B2'.repeat(9)].join('_');
export const PASSWORD = ['correct', 'horse'].join('-');

/** A captured payload with its placeholders filled in. */
export function fixture(name: string): string {
  return readFileSync(new URL(`fixtures/${name}`, import.meta.url), 'utf8')
    .replaceAll('{{AWS_KEY}}', AWS_KEY)
    .replaceAll('{{SESSION_KEY}}', SESSION_KEY)
    .replaceAll('{{GITHUB_TOKEN}}', GITHUB_TOKEN)
    .replaceAll('{{PASSWORD}}', PASSWORD);
}

/** A captured payload as a value to change. */
export const fixtureJson = (name: string): Record<string, unknown> => JSON.parse(fixture(name));

/** `value` with the member at `path` replaced, or removed when the replacement is undefined. */
export function withMember(
  value: Record<string, unknown>,
  path: string,
  replacement: unknown,
): Record<string, unknown> {
  const copy: Record<string, unknown> = structuredClone(value);
  const keys = path.split('.');
  const last = keys.pop() ?? '';
  const holder = keys.reduce<Record<string, unknown>>((object, key) => object[key] as Record<string, unknown>, copy);
  if (replacement === undefined) delete holder[last];
  else holder[last] = replacement;
  return copy;
}
