import { randomBytes } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs';
import { formatSkey, formatVkey, isKeyName, keyPairOf, parseSkey, signEd25519 } from './note.ts';

/** Holds the log's key. Its name is the log's origin. Signing is synchronous: it happens inside a database transaction. */
export interface Signer {
  readonly name: string;
  /** The public key as auditors are given it. */
  readonly vkey: string;
  sign(message: Uint8Array): Uint8Array;
}

/** A key that lives and dies with the process: for drills and tests. `seed` (32 bytes) makes it the same every time. */
export function generateSigner(name: string, seed: Uint8Array = randomBytes(32)): Signer {
  if (!isKeyName(name)) throw new Error(`"${name}" cannot name a log: it must hold neither spaces nor plus signs`);
  const { privateKey, publicKey } = keyPairOf(seed);
  return { name, vkey: formatVkey(name, publicKey), sign: (message) => signEd25519(privateKey, message) };
}

/**
 * The key kept in `file`, which is created for the owner alone (0600) on first use. Throws when others may read it, when it is
 * damaged, or when it belongs to another log; the message never holds the key.
 */
export const fileSigner = (file: string, name: string): Signer => generateSigner(name, seedIn(file, name));

/** The seed of the key `name` in `file`, made there on first use. Throws as `fileSigner` does. */
export function seedIn(file: string, name: string): Buffer {
  const existing = readKeyFile(file);
  const skey = existing ?? createKeyFile(file, formatSkey(name, randomBytes(32)));
  const key = parseSkey(skey.trim());
  if (key.name !== name) {
    throw new Error(
      `The key in ${file} belongs to the log ${key.name}, not to ${name}: give this log a key file of its own`,
    );
  }
  return key.seed;
}

function readKeyFile(file: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(file, 'r');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    const mode = fstatSync(fd).mode & 0o777;
    if ((mode & 0o077) !== 0) {
      throw new Error(
        `The log key ${file} can be read by others (mode ${mode.toString(8)}): anyone who reads it can forge the log. ` +
          `If nobody did, run chmod 600 ${file}; otherwise start a new log with a new key`,
      );
    }
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

function createKeyFile(file: string, skey: string): string {
  const fd = openSync(file, 'wx', 0o600);
  try {
    writeSync(fd, `${skey}\n`);
    fsyncSync(fd); // a signed log whose key a power cut took away cannot be continued
  } finally {
    closeSync(fd);
  }
  return skey;
}
