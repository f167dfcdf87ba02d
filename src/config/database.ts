import { BadNote, parseSkey } from '../custody/note.ts';
import { type Files, unreadable } from '../policy/files.ts';
import type { Reader } from './reader.ts';

/** The key that signs the custody log; its name is the log's. */
export type LogKey = ReturnType<typeof parseSkey>;

const URL_REMEDY =
  'Write postgres://USER:PASSWORD@HOST:5432/DATABASE, or unset it to keep everything in the data folder.';
const NEW_KEYS = 'Make both keys once with `npx tourniquet new-keys`, and give them to every replica.';

/** Where the replicas keep everything; undefined for SQLite in the data folder, or when it was refused. Never quotes it: it holds a password. */
export function readDatabaseUrl(reader: Reader): string | undefined {
  const text = reader.given('DATABASE_URL');
  if (text === undefined) return undefined;
  const url = URL.parse(text);
  if (!url || !['postgres:', 'postgresql:'].includes(url.protocol))
    return reader.refuse('DATABASE_URL', 'is not the address of a PostgreSQL database', URL_REMEDY);
  if (url.hostname === '' || url.pathname.length < 2)
    return reader.refuse('DATABASE_URL', 'names no host or no database', URL_REMEDY);
  return text;
}

/** The log's key, given as text or as the file that holds it. */
export function readLogKey(reader: Reader, files: Files): LogKey | undefined {
  const given = reader.given('TOURNIQUET_LOG_KEY');
  if (given === undefined) return undefined;
  try {
    return parseSkey((given.startsWith('PRIVATE+KEY+') ? given : files.read(given)).trim());
  } catch (error) {
    const wrong =
      error instanceof BadNote
        ? `cannot be used: ${error.message}`
        : `names a file that cannot be read: ${unreadable(error)}`;
    return reader.refuse(
      'TOURNIQUET_LOG_KEY',
      wrong,
      `Give the text of log.key, or the path of that file. ${NEW_KEYS}`,
    );
  }
}

/** Keys in each replica's own folder would be different keys: one could neither read nor continue what another wrote. */
export function requireSharedKeys(reader: Reader): void {
  if (reader.given('DATABASE_URL') === undefined) return;
  for (const name of ['TOURNIQUET_MASTER_KEY', 'TOURNIQUET_LOG_KEY'] as const)
    if (reader.given(name) === undefined)
      reader.refuse(name, 'is missing; with DATABASE_URL every replica must have the same one', NEW_KEYS);
}
