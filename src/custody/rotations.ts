import type { Entry } from '../core/entry.ts';
import { BadNote, parseVkey, type VerifierKey, verifyEd25519 } from './note.ts';

/** How a log's key changes, as a verifier follows it. */

export type Rotation = Extract<Entry, { type: 'key.rotate' }>;

/** The keys that a log has had since the one that is trusted, oldest first; the last is in force. */
export interface Keys {
  readonly all: readonly VerifierKey[];
  readonly current: VerifierKey;
}

/** What both keys sign. */
export const rotationMessage = (origin: string, from: string, to: string): Buffer =>
  Buffer.from(`tourniquet key rotation v1\n${origin}\n${from}\n${to}\n`);

/**
 * Follows `rotations`, in the order of the log, from the `trusted` key on. Those before it, by which it came to be the log's key,
 * are checked as well. Throws BadNote when one is not signed by both its keys, they do not follow each other, or none knows the
 * trusted key.
 */
export function keysAfter(trusted: VerifierKey, rotations: readonly Rotation[]): Keys {
  const chain: VerifierKey[] = [];
  for (const rotation of rotations) {
    const { from, to } = signedBoth(rotation, trusted.name);
    const before = chain.at(-1);
    if (!before) chain.push(from);
    else if (!isSame(before, from))
      throw new BadNote(`Entry ${rotation.seq} changes the key from one that was not the log's`);
    if (chain.some((key) => isSame(key, to)))
      throw new BadNote(`Entry ${rotation.seq} brings back a key that the log had before`);
    chain.push(to);
  }
  if (chain.length === 0) return { all: [trusted], current: trusted };
  const at = chain.findIndex((key) => isSame(key, trusted));
  const all = chain.slice(at);
  const current = all.at(-1);
  if (at < 0 || !current)
    throw new BadNote(`The log changed its key, but never from or to ${trusted.name}+${trusted.hash}`);
  return { all, current };
}

function signedBoth(
  { seq, from, to, signatures }: Rotation,
  origin: string,
): { readonly from: VerifierKey; readonly to: VerifierKey } {
  const keys = { from: parseVkey(from), to: parseVkey(to) };
  const message = rotationMessage(origin, from, to);
  const [byOld, byNew, ...more] = signatures;
  const ok =
    keys.from.name === origin &&
    keys.to.name === origin &&
    more.length === 0 &&
    isBy(keys.from, message, byOld) &&
    isBy(keys.to, message, byNew);
  if (!ok) throw new BadNote(`Entry ${seq} changes the key of ${origin} without the signatures of both keys`);
  return keys;
}

function isBy(key: VerifierKey, message: Uint8Array, signature: string | undefined): boolean {
  const bytes = Buffer.from(signature ?? '', 'base64');
  return bytes.toString('base64') === signature && verifyEd25519(key.publicKey, message, bytes);
}

const isSame = (a: VerifierKey, b: VerifierKey): boolean => a.publicKey.equals(b.publicKey);
