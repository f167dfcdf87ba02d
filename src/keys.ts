import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** The folder, for its owner alone. Throws when it cannot be made or written. */
export function openDataDir(dir: string): string {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  return dir;
}

/**
 * The master key in `dir`, made on first use (0600). Throws when others can read it, or when it is damaged: a new one would make
 * every sealed secret and every fingerprint unreadable.
 */
export function masterKeyIn(dir: string, random: (bytes: number) => Uint8Array): Buffer {
  const file = join(dir, 'master.key');
  if (!existsSync(file)) {
    const fd = openSync(file, 'wx', 0o600);
    try {
      writeSync(fd, `${Buffer.from(random(32)).toString('base64')}\n`);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  }
  const mode = statSync(file).mode & 0o777;
  if ((mode & 0o077) !== 0) {
    throw new Error(
      `The master key ${file} can be read by others (mode ${mode.toString(8)}). If nobody did, run chmod 600 ${file}.`,
    );
  }
  const key = Buffer.from(readFileSync(file, 'utf8').trim(), 'base64');
  if (key.length !== 32)
    throw new Error(
      `The master key ${file} is damaged: restore it from a backup; nothing sealed can be read without it.`,
    );
  return key;
}
