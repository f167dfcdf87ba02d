import { z } from 'zod';

/** A whole number in a query, from 1. The document shows it as the integer that it is; in an address everything is text. */
export const wholeNumber = (most: number, otherwise: number) =>
  z
    .string()
    .regex(/^[1-9]\d{0,3}$/, `must be a whole number from 1 to ${most}`)
    .transform(Number)
    .pipe(z.number().max(most, `must be a whole number from 1 to ${most}`))
    .default(otherwise)
    .meta({ shownAs: { type: 'integer', minimum: 1, maximum: most, default: otherwise } });

/** Where a list goes on: whoever calls passes it on as it is, so that it may name something else one day. */
export const cursor = z
  .string()
  .regex(/^after-(?:0|[1-9]\d{0,8})$/, 'must be the next of an earlier answer')
  .optional()
  .describe('The next of an earlier answer');

export const cursorOf = (position: number | null): string | null => (position === null ? null : `after-${position}`);

/** The position that a cursor names; null without one. */
export const positionOf = (text: string | undefined): number | null =>
  text === undefined ? null : Number(text.slice('after-'.length));
