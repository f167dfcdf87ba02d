import {
  COSIGNATURE_V1,
  formatVkey,
  keyPairOf,
  type Note,
  parseVkey,
  type Signature,
  signatureLine,
  signEd25519,
  type VerifierKey,
  verifyEd25519,
} from './note.ts';

/**
 * Cosignatures as https://c2sp.org/tlog-cosignature writes them: a witness says that at a time this was the largest tree of the
 * log that it had seen, and that it had only grown.
 */

/** Holds a witness's key. */
export interface Cosigner {
  readonly name: string;
  /** The public key as logs and auditors are given it. */
  readonly vkey: string;
  /** The signature line, with its newline, over the text of a checkpoint. */
  cosign(text: string, seconds: number): string;
}

export function createCosigner(name: string, seed: Uint8Array): Cosigner {
  const { privateKey, publicKey } = keyPairOf(seed);
  const vkey = formatVkey(name, publicKey, COSIGNATURE_V1);
  const key = parseVkey(vkey, [COSIGNATURE_V1]);
  return {
    name,
    vkey,
    cosign(text, seconds) {
      const time = Buffer.alloc(8);
      time.writeBigUInt64BE(BigInt(seconds));
      return signatureLine(key, Buffer.concat([time, signEd25519(privateKey, messageOf(text, BigInt(seconds)))]));
    },
  };
}

/** The one cosignature of `note` by `key`; undefined when there is none, more than one, or it does not verify. */
export function cosignatureBy(note: Note, key: VerifierKey): Signature | undefined {
  const claimed = note.signatures.filter(({ name, hash }) => name === key.name && hash === key.hash);
  const [only, ...more] = claimed;
  if (!only || more.length > 0 || only.bytes.length !== 72) return undefined;
  const message = messageOf(note.text, only.bytes.readBigUInt64BE(0));
  return verifyEd25519(key.publicKey, message, only.bytes.subarray(8)) ? only : undefined;
}

export const isCosignedBy = (note: Note, key: VerifierKey): boolean => cosignatureBy(note, key) !== undefined;

const messageOf = (text: string, seconds: bigint): Buffer => Buffer.from(`cosignature/v1\ntime ${seconds}\n${text}`);
