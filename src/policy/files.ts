import { readdirSync, readFileSync } from 'node:fs';

/** The files that configuration is read from. Both throw when there is nothing to read. */
export interface Files {
  read(path: string): string;
  /** The names in a folder. */
  list(dir: string): readonly string[];
}

export const diskFiles: Files = {
  read: (path) => readFileSync(path, 'utf8'),
  list: (dir) => readdirSync(dir),
};

/** Why a file could not be read, in words. */
export function unreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
      return 'it is not there';
    case 'EACCES':
    case 'EPERM':
      return 'this process may not read it';
    case 'EISDIR':
      return 'it is a folder, not a file';
    case 'ENOTDIR':
      return 'it is a file, not a folder';
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
