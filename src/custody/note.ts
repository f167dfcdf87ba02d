import { createPrivateKey, createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto';
import { utf8 } from './canonical.ts';

/**
 * Signed notes as C2SP signed-note (https://c2sp.org/signed-note) and Go's golang.org/x/mod/sumdb/note write them:
 * text ending in a newline, an empty line, then signature lines `— NAME BASE64(hash ‖ signature)`.
 */

const ED25519 = 0x01;
/** C2SP tlog-cosignature: Ed25519 over a checkpoint and a time. */
export const COSIGNATURE_V1 = 0x04;
const SPKI = Buffer.from('302a300506032b6570032100', 'hex'); // RFC 8410 headers around the 32 bytes of a key
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');
const SIGNATURE_LINE = /^— (\S+) (\S+)$/u;
const MAX_SIGNATURES = 100;

/** A note, key or checkpoint that is not exactly what its format demands. */
export class BadNote extends Error {
  override readonly name = 'BadNote';
}

/** The public half of a note key. `algorithm` 1 is Ed25519, 4 a timestamped cosignature (C2SP tlog-cosignature). */
export interface VerifierKey {
  readonly name: string;
  readonly algorithm: number;
  /** First four bytes of SHA-256(name ‖ "\n" ‖ algorithm ‖ key), hex. */
  readonly hash: string;
  readonly publicKey: KeyObject;
}

export interface Signature {
  readonly name: string;
  readonly hash: string;
  readonly bytes: Buffer;
}

export interface Note {
  /** What is signed, with its final newline. */
  readonly text: string;
  readonly signatures: readonly Signature[];
}

/** C2SP: a key name is not empty and holds neither spaces nor plus signs. */
export const isKeyName = (name: string): boolean => /^[^\s+\p{Cc}]+$/u.test(name) && name.isWellFormed();

/** `NAME+HASH+BASE64`, the form in which a public key is handed out. */
export function formatVkey(name: string, publicKey: KeyObject, algorithm: number = ED25519): string {
  const key = Buffer.concat([Buffer.of(algorithm), rawPublic(publicKey)]);
  return `${name}+${keyHash(name, key)}+${key.toString('base64')}`;
}

/** The name and hash in a key of our own, which need not be checked: a signer signs often and parsing takes longer than signing. */
export function keyIdOf(vkey: string): Pick<VerifierKey, 'name' | 'hash'> {
  const [name = '', hash = ''] = vkey.split('+');
  return { name, hash };
}

/** Throws BadNote when `vkey` is not one, its hash does not fit, or its algorithm is not among `algorithms`. */
export function parseVkey(vkey: string, algorithms: readonly number[] = [ED25519]): VerifierKey {
  const [name = '', hashHex = '', ...parts] = vkey.split('+');
  const encoded = parts.join('+'); // base64 itself may hold plus signs
  if (!isKeyName(name) || !hashHex || !encoded) {
    throw new BadNote(`"${vkey}" is not a verifier key: it should read NAME+HASH+KEY`);
  }
  const key = base64(encoded, `the key of ${name}`);
  const algorithm = key[0] ?? 0;
  if (!algorithms.includes(algorithm) || key.length !== 33) {
    throw new BadNote(`The key of ${name} is not of a kind that is accepted here (Ed25519, 32 bytes)`);
  }
  if (keyHash(name, key) !== hashHex)
    throw new BadNote(`The key of ${name} does not have the hash ${hashHex}: was it retyped?`);
  const publicKey = createPublicKey({ key: Buffer.concat([SPKI, key.subarray(1)]), format: 'der', type: 'spki' });
  return { name, algorithm, hash: hashHex, publicKey };
}

/** `PRIVATE+KEY+NAME+HASH+BASE64`: the secret half, for a key file. */
export function formatSkey(name: string, seed: Uint8Array): string {
  const { publicKey } = keyPairOf(seed);
  const vkeyHash = keyHash(name, Buffer.concat([Buffer.of(ED25519), rawPublic(publicKey)]));
  return `PRIVATE+KEY+${name}+${vkeyHash}+${Buffer.concat([Buffer.of(ED25519), seed]).toString('base64')}`;
}

/** Throws BadNote, never quoting the key, when `skey` is not one. */
export function parseSkey(skey: string): { readonly name: string; readonly seed: Buffer } {
  const [marker, word, name, hashHex, ...encoded] = skey.split('+');
  if (marker !== 'PRIVATE' || word !== 'KEY' || !name || !hashHex) throw new BadNote('This is not a private note key');
  const key = base64(encoded.join('+'), 'the private key'); // base64 itself may hold plus signs
  if (key[0] !== ED25519 || key.length !== 33) throw new BadNote(`The private key of ${name} is not an Ed25519 key`);
  const seed = key.subarray(1);
  const { publicKey } = keyPairOf(seed);
  if (keyHash(name, Buffer.concat([Buffer.of(ED25519), rawPublic(publicKey)])) !== hashHex) {
    throw new BadNote(`The private key of ${name} is damaged: its hash does not fit`);
  }
  return { name, seed };
}

/** The Ed25519 key pair of a 32-byte seed. */
export function keyPairOf(seed: Uint8Array): { readonly privateKey: KeyObject; readonly publicKey: KeyObject } {
  const privateKey = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' });
  return { privateKey, publicKey: createPublicKey(privateKey) };
}

export const signEd25519 = (privateKey: KeyObject, message: Uint8Array): Buffer => sign(null, message, privateKey);
export const verifyEd25519 = (publicKey: KeyObject, message: Uint8Array, signature: Uint8Array): boolean =>
  signature.length === 64 && verify(null, message, publicKey, signature);

/** `text` with one signature under it. Throws BadNote when `text` cannot be a note. */
export function writeNote(text: string, key: Pick<VerifierKey, 'name' | 'hash'>, signature: Uint8Array): string {
  checkText(text);
  return `${text}\n${signatureLine(key, signature)}`;
}

/** One line under a note, with its newline. */
export const signatureLine = (key: Pick<VerifierKey, 'name' | 'hash'>, signature: Uint8Array): string =>
  `— ${key.name} ${Buffer.concat([Buffer.from(key.hash, 'hex'), signature]).toString('base64')}\n`;

/** Reads signature lines that came without their note, as a witness answers them. Throws BadNote when one is malformed. */
export function parseSignatures(text: string): readonly Signature[] {
  if (!text.endsWith('\n')) throw new BadNote('The last signature line does not end');
  return text.slice(0, -1).split('\n').map(parseSignature);
}

/** Reads a note without believing it. Throws BadNote for anything that the format does not allow. */
export function parseNote(bytes: Uint8Array): Note {
  const all = utf8(bytes);
  const split = all.lastIndexOf('\n\n');
  if (split < 0 || !all.endsWith('\n'))
    throw new BadNote('It is not a signed note: no empty line before the signatures');
  const text = all.slice(0, split + 1);
  checkText(text);
  const lines = all.slice(split + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw new BadNote(`It has more than ${MAX_SIGNATURES} signatures`);
  return { text, signatures: lines.map(parseSignature) };
}

/**
 * True when `key` signed the note. A signature that claims to be by `key` and is not makes it false even beside a good one,
 * and so does a second one: a note has at most one signature per key.
 */
export function isSignedBy(note: Note, key: VerifierKey): boolean {
  const claimed = note.signatures.filter(({ name, hash }) => name === key.name && hash === key.hash);
  const [only, ...more] = claimed;
  return only !== undefined && more.length === 0 && verifyEd25519(key.publicKey, Buffer.from(note.text), only.bytes);
}

function parseSignature(line: string): Signature {
  const [, name, encoded] = SIGNATURE_LINE.exec(line) ?? [];
  if (!name || !encoded || !isKeyName(name)) throw new BadNote('It has a line among its signatures that is not one');
  const bytes = base64(encoded, `the signature by ${name}`);
  if (bytes.length < 5) throw new BadNote(`The signature by ${name} is too short`);
  return { name, hash: bytes.subarray(0, 4).toString('hex'), bytes: bytes.subarray(4) };
}

function checkText(text: string): void {
  if (!text.endsWith('\n')) throw new BadNote('The text of a note must end with a newline');
  if (!text.isWellFormed()) throw new BadNote('The text of a note must be valid Unicode');
  for (const char of text) {
    if (char < ' ' && char !== '\n') throw new BadNote('The text of a note must not hold control characters');
  }
}

/** RFC 4648 §3.5: only the one encoding of these bytes, so that no bit of a signature line can change unseen. */
function base64(encoded: string, what: string): Buffer {
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.toString('base64') !== encoded) throw new BadNote(`The base64 of ${what} is not well-formed`);
  return bytes;
}

function keyHash(name: string, key: Uint8Array): string {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), key]), 'hex').slice(0, 8);
}

function rawPublic(publicKey: KeyObject): Buffer {
  return publicKey.export({ format: 'der', type: 'spki' }).subarray(SPKI.length);
}
