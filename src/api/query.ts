import { z } from 'zod';
import type { Problem } from './problem.ts';

/** A whole number in a query, from 1. The document shows it as the integer that it is; in an address everything is text. */
export const wholeNumber = (most: number, otherwise: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,3}$/, `must be a whole number from 1 to ${most}`)
    .transform(Number)
    .pipe(z.number().max(most, `must be a whole number from 1 to ${most}`))
    .default(otherwise)
    .meta({ shownAs: { type: 'integer', minimum: 1, maximum: most, default: otherwise } });

/** Where a list goes on: opaque to whoever calls, so that it may name something else one day. */
export const cursor = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,24}$/, 'must be the next of an earlier answer')
  .optional()
  .describe('The next of an earlier answer');

export const cursorOf = (position: number | null): string | null =>
  position === null ? null : Buffer.from(`v1.${position}`).toString('base64url');

/** The position that a cursor names, null without one; a problem when it is none of ours. */
export function positionOf(
  text: string | undefined,
): { readonly after: number | null } | { readonly problem: Problem } {
  if (text === undefined) return { after: null };
  const [, digits] = /^v1\.(\d{1,10})$/.exec(Buffer.from(text, 'base64url').toString()) ?? [];
  if (digits !== undefined && cursorOf(Number(digits)) === text) return { after: Number(digits) };
  const errors = [{ at: 'cursor', message: 'must be the next of an earlier answer' }];
  return { problem: { status: 400, detail: 'The query was not understood.', errors } };
}
