import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface Source {
  /** What the connector or runbook in it must be called. */
  readonly name: string;
  /** The file's path. */
  readonly file: string;
}

/** `NAME/index.ts` and `NAME.ts` in `dir`, by name; none when there is no such folder. */
export function connectorFiles(dir: string): Source[] {
  const sources = entriesOf(dir).flatMap(({ name, isFolder }): Source[] => {
    if (!isFolder) return isModule(name) ? [{ name: basename(name, '.ts'), file: join(dir, name) }] : [];
    const index = entriesOf(join(dir, name)).some((entry) => entry.name === 'index.ts');
    return index ? [{ name, file: join(dir, name, 'index.ts') }] : [];
  });
  return sources.sort(byFile);
}

/** `NAME.ts` in `dir`; folders, such as that of the drills, hold something else. */
export const runbookFiles = (dir: string): Source[] =>
  entriesOf(dir)
    .filter(({ name, isFolder }) => !isFolder && isModule(name))
    .map(({ name }) => ({ name: basename(name, '.ts'), file: join(dir, name) }))
    .sort(byFile);

const isModule = (name: string): boolean => /^[^.].*\.ts$/.test(name) && !/\.(d|test)\.ts$/.test(name);
const byFile = (a: Source, b: Source): number => (a.file < b.file ? -1 : 1);

function entriesOf(dir: string): { readonly name: string; readonly isFolder: boolean }[] {
  try {
    const entries = readdirSync(dir, { withFileTypes: true });
    return entries.map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
