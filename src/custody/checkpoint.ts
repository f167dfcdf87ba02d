import { isHash, type Tree } from './merkle.ts';
import { BadNote, isSignedBy, keyIdOf, type Note, parseNote, type VerifierKey, writeNote } from './note.ts';
import type { Signer } from './signer.ts';

/** What a log says of itself at one moment (https://c2sp.org/tlog-checkpoint), without extension lines. */
export interface Checkpoint extends Tree {
  readonly origin: string;
}

const LINES = /^([^\n]+)\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n$/;

/** The text that is signed: origin, size, root in base64, one line each. */
export const formatCheckpoint = ({ origin, size, root }: Checkpoint): string =>
  `${origin}\n${size}\n${Buffer.from(root, 'hex').toString('base64')}\n`;

/** Strict inverse of `formatCheckpoint`. Throws BadNote otherwise, extension lines included. */
export function parseCheckpoint(text: string): Checkpoint {
  const [, origin, size, encoded] = LINES.exec(text) ?? [];
  if (!origin || !size || !encoded) throw new BadNote('It is not a checkpoint of three lines: origin, size, root');
  const checkpoint = { origin, size: Number(size), root: Buffer.from(encoded, 'base64').toString('hex') };
  if (!Number.isSafeInteger(checkpoint.size))
    throw new BadNote(`The size ${size} is larger than any log this program reads`);
  if (!isHash(checkpoint.root) || formatCheckpoint(checkpoint) !== text)
    throw new BadNote('Its root hash is not well-formed');
  return checkpoint;
}

export function signCheckpoint(checkpoint: Checkpoint, signer: Signer): string {
  const text = formatCheckpoint(checkpoint);
  return writeNote(text, keyIdOf(signer.vkey), signer.sign(Buffer.from(text)));
}

export interface SignedCheckpoint extends Checkpoint {
  readonly note: Note;
}

/** Reads a checkpoint without believing it. Throws BadNote or NotCanonical when it is malformed. */
export function readCheckpoint(bytes: Uint8Array): SignedCheckpoint {
  const note = parseNote(bytes);
  return { ...parseCheckpoint(note.text), note };
}

/** Reads a checkpoint and believes it: throws BadNote unless it is well-formed, from the log `key.name`, and signed by `key`. */
export function openCheckpoint(bytes: Uint8Array, key: VerifierKey): SignedCheckpoint {
  const checkpoint = readCheckpoint(bytes);
  if (checkpoint.origin !== key.name) {
    throw new BadNote(`It is a checkpoint of the log ${checkpoint.origin}, not of ${key.name}`);
  }
  if (!isSignedBy(checkpoint.note, key))
    throw new BadNote(`It does not carry a valid signature of ${key.name}+${key.hash}`);
  return checkpoint;
}
