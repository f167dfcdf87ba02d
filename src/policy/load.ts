import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BadPolicy, type PolicyTexts } from './compile.ts';
import { openPolicy } from './open.ts';
import type { Policy, Roster } from './policy.ts';

const DEFAULT = fileURLToPath(new URL('./default.cedar', import.meta.url));

/** The policy that holds when nothing else is configured. */
export const defaultTexts = (): PolicyTexts => ({ [basename(DEFAULT)]: readFileSync(DEFAULT, 'utf8') });

/**
 * The policy in the `.cedar` files of `dir`, in place of the default one; the default without `dir`.
 * Throws BadPolicy when `dir` cannot be read, holds none, or holds a bad one.
 */
export function loadPolicy(dir: string | undefined, roster: Roster): Policy {
  return openPolicy(dir === undefined ? defaultTexts() : textsIn(dir), roster);
}

function textsIn(dir: string): PolicyTexts {
  const files = namesIn(dir).filter((name) => name.endsWith('.cedar'));
  if (files.length === 0)
    throw new BadPolicy([`${dir} holds no .cedar file: copy src/policy/default.cedar there and change it`]);
  return Object.fromEntries(files.sort().map((name) => [name, readFileSync(join(dir, name), 'utf8')]));
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    throw new BadPolicy([`The policy folder ${dir} cannot be read: ${error instanceof Error ? error.message : error}`]);
  }
}
