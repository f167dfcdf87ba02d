import { createHash } from 'node:crypto';

/** The same for every attempt at a step of a run, and no secret: providers that take such a key do the thing once. */
export const idempotencyKey = (run: string, step: string): string =>
  createHash('sha256').update(`${run}/${step}`).digest('hex').slice(0, 32);
