import type Sqlite from 'better-sqlite3';
import type { SqliteDatabase, SqliteStatement } from 'kysely';

/** Statements kept ready; a log's commit uses eight, and preparing them again each time takes longer than running them. */
const MOST = 256;

/** `raw` as Kysely takes it, with its statements prepared once. The least recently used makes room. */
export function keepPrepared(raw: Sqlite.Database): SqliteDatabase {
  const ready = new Map<string, Sqlite.Statement<unknown[]>>();
  const prepare = (text: string): Sqlite.Statement<unknown[]> => {
    const statement = ready.get(text) ?? raw.prepare<unknown[]>(text);
    ready.delete(text);
    ready.set(text, statement);
    const [oldest] = ready.keys();
    if (ready.size > MOST && oldest !== undefined) ready.delete(oldest);
    return statement;
  };
  return {
    close: () => void raw.close(),
    prepare(text): SqliteStatement {
      const statement = prepare(text);
      return {
        reader: statement.reader,
        all: (parameters) => statement.all(parameters),
        run: (parameters) => statement.run(parameters),
        // A statement that is read row by row is busy until its end, and another reader may want the same one meanwhile.
        iterate: (parameters) => raw.prepare<unknown[]>(text).iterate(parameters),
      };
    },
  };
}
