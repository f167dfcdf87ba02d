import type { Logger } from '@slack/bolt';
import { LogLevel } from '@slack/bolt';
import { scrub } from '../ingest/patterns.ts';

/** What this folder needs of a logger; a pino logger is one. */
export interface Log {
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/**
 * Lets Bolt's warnings and errors through and nothing below: at debug level Bolt writes whole payloads, and a payload holds
 * whatever a person typed, which may be a leaked key.
 */
export function boltLogger(log: Log): Logger {
  const nothing = (): void => {};
  return {
    debug: nothing,
    info: nothing,
    warn: (...parts: unknown[]) => log.warn({}, wordsOf(parts)),
    error: (...parts: unknown[]) => log.error({}, wordsOf(parts)),
    setLevel: nothing,
    getLevel: () => LogLevel.WARN,
    setName: nothing,
  };
}

const wordsOf = (parts: readonly unknown[]): string =>
  `Slack: ${scrub(parts.map((part) => (part instanceof Error ? part.message : typeof part === 'string' ? part : '')).join(' '))}`;

/** Where an error came from, without its message: that may quote what a person typed. */
export const traceOf = (error: unknown): object =>
  error instanceof Error
    ? {
        error: error.name,
        at: (error.stack ?? '')
          .split('\n')
          .filter((line) => /^\s+at /.test(line))
          .slice(0, 6),
      }
    : { error: typeof error };
