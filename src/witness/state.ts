import { hash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readCheckpoint, type SignedCheckpoint } from '../custody/checkpoint.ts';

/** What a witness remembers of each log: the newest checkpoint that it cosigned. Losing it would let a log be rewritten. */
export interface WitnessState {
  /** Undefined for a log that was never cosigned. Throws when what is kept cannot be read: a witness must not begin anew by mistake. */
  latest(origin: string): SignedCheckpoint | undefined;
  /** Durable when it returns. */
  keep(origin: string, note: string): void;
}

/** Keeps one file for each log in `dir`, replaced as a whole. */
export function fileState(dir: string): WitnessState {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const fileOf = (origin: string): string => join(dir, `${hash('sha256', origin, 'hex')}.note`);
  return {
    latest(origin) {
      const bytes = readIfThere(fileOf(origin));
      if (!bytes) return undefined;
      const checkpoint = readCheckpoint(bytes);
      if (checkpoint.origin !== origin)
        throw new Error(`${fileOf(origin)} holds a checkpoint of another log, ${checkpoint.origin}`);
      return checkpoint;
    },
    keep(origin, note) {
      const file = fileOf(origin);
      const fresh = `${file}.new`;
      durably(fresh, 'w', (fd) => writeSync(fd, note));
      renameSync(fresh, file);
      durably(dir, 'r', () => {}); // the new name itself must survive a power cut
    },
  };
}

function durably(file: string, flags: 'w' | 'r', write: (fd: number) => void): void {
  const fd = openSync(file, flags, 0o600);
  try {
    write(fd);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
