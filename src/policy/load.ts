import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BadPolicy, type PolicyTexts } from './compile.ts';
import { diskFiles, type Files, unreadable } from './files.ts';
import { openPolicy } from './open.ts';
import type { Policy, Roster } from './policy.ts';

const DEFAULT = fileURLToPath(new URL('./default.cedar', import.meta.url));

/** The policy that holds when nothing else is configured. */
export const defaultTexts = (): PolicyTexts => ({ [basename(DEFAULT)]: diskFiles.read(DEFAULT) });

/** The `.cedar` files of `dir`. Throws BadPolicy when it cannot be read or holds none. */
export function policyTexts(dir: string, files: Files): PolicyTexts {
  try {
    const names = files.list(dir).filter((name) => name.endsWith('.cedar'));
    if (names.length > 0) return Object.fromEntries(names.sort().map((name) => [name, files.read(join(dir, name))]));
  } catch (error) {
    throw new BadPolicy([`the policy folder ${dir} cannot be read: ${unreadable(error)}`]);
  }
  throw new BadPolicy([`${dir} holds no .cedar file: copy src/policy/default.cedar there and change it`]);
}

/**
 * The policy in the `.cedar` files of `dir`, in place of the default one; the default without `dir`.
 * Throws BadPolicy when `dir` cannot be read, holds none, or holds a bad one.
 */
export const loadPolicy = (dir: string | undefined, roster: Roster): Policy =>
  openPolicy(dir === undefined ? defaultTexts() : policyTexts(dir, diskFiles), roster);
