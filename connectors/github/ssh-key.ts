import { createPublicKey, type KeyObject } from 'node:crypto';

/** `type base64` of an SSH public key, without its comment: the part that GitHub keeps and compares. */
export const publicPart = (line: string): string => line.trim().split(/\s+/, 2).join(' ');

/** One SSH string: its length in four bytes, then itself (RFC 4251 section 5). */
const field = (bytes: Uint8Array): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
};
/** A positive number, with a zero byte in front where it would read as negative. */
const mpint = (base64url: string): Buffer => {
  const bytes = Buffer.from(base64url, 'base64url');
  return field((bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.of(0), bytes]) : bytes);
};

/** `key` as one line of SSH, or null for a type that SSH does not know (RFC 4253 section 6.6, RFC 8709, RFC 5656). */
export function sshLine(key: KeyObject): string | null {
  const jwk = key.export({ format: 'jwk' });
  const line = (type: string, ...parts: Buffer[]) =>
    `${type} ${Buffer.concat([field(Buffer.from(type)), ...parts]).toString('base64')}`;
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519' && jwk.x)
    return line('ssh-ed25519', field(Buffer.from(jwk.x, 'base64url')));
  if (jwk.kty === 'RSA' && jwk.e && jwk.n) return line('ssh-rsa', mpint(jwk.e), mpint(jwk.n));
  if (jwk.kty === 'EC' && jwk.crv && jwk.x && jwk.y) {
    const curve = `nistp${jwk.crv.slice(2)}`;
    const point = Buffer.concat([Buffer.of(4), Buffer.from(jwk.x, 'base64url'), Buffer.from(jwk.y, 'base64url')]);
    return line(`ecdsa-sha2-${curve}`, field(Buffer.from(curve)), field(point));
  }
  return null;
}

const OPENSSH = /-{5}BEGIN OPENSSH PRIVATE KEY-{5}([\s\S]+?)-{5}END OPENSSH PRIVATE KEY-{5}/;
const MAGIC = 'openssh-key-v1\0';

/**
 * The public half of a leaked private key, so that it can be found among a repository's keys; null when it cannot be told.
 * OpenSSH's own format keeps it in the clear even when a passphrase protects the rest (openssh PROTOCOL.key).
 */
export function publicHalf(privateKey: string): string | null {
  const body = OPENSSH.exec(privateKey)?.[1];
  try {
    if (body === undefined) return sshLine(createPublicKey(privateKey));
    const bytes = Buffer.from(body, 'base64');
    if (bytes.toString('latin1', 0, MAGIC.length) !== MAGIC) return null;
    let at = MAGIC.length;
    const next = (): Buffer => {
      const end = at + 4 + bytes.readUInt32BE(at);
      const value = bytes.subarray(at + 4, end);
      at = end;
      return value;
    };
    next(); // cipher
    next(); // key derivation
    next(); // its options
    at += 4; // how many keys: one
    const blob = next();
    const type = blob.toString('latin1', 4, 4 + blob.readUInt32BE(0));
    return `${type} ${blob.toString('base64')}`;
  } catch {
    return null; // not a key, or encrypted in a form that hides its public half
  }
}
