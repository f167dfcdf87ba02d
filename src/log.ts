import { pino } from 'pino';
import type { Config } from './config.ts';
import { scrub } from './ingest/patterns.ts';

export type Log = pino.Logger;

/**
 * A log of JSON lines. Every line is scrubbed as a whole, so that no secret stands in a message, an error or a member of any name;
 * pino itself redacts by path only.
 */
export const createLog = (level: Config['logLevel'], write: (line: string) => void): Log =>
  pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    { write: (line: string) => write(scrub(line)) },
  );
