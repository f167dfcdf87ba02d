import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const fileIn = (dir: string): string => join(dir, 'server.pid');

/** The process that serves this data folder, or null. A file left by a process that was killed does not count. */
export function serverOf(dir: string): number | null {
  const file = fileIn(dir);
  if (!existsSync(file)) return null;
  const pid = Number(readFileSync(file, 'utf8'));
  return Number.isSafeInteger(pid) && pid > 0 && isAlive(pid) ? pid : null;
}

/** Claims the data folder for this process; the result gives it back. Throws when another process serves it. */
export function takeServerLock(dir: string): () => void {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const other = serverOf(dir);
  if (other !== null && other !== process.pid) {
    throw new Error(
      `Another Tourniquet (process ${other}) serves ${dir}. Stop it, or give this one another TOURNIQUET_DATA_DIR.`,
    );
  }
  writeFileSync(fileIn(dir), String(process.pid));
  return () => rmSync(fileIn(dir), { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
