import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * Whether `signature` (hex) is the HMAC-SHA256 of `data` under one of `secrets`: several while one replaces another.
 * Constant in time for signatures of the right length, whichever secret matches.
 */
export function signedByAny(secrets: readonly string[], data: Uint8Array, signature: string): boolean {
  if (!/^[0-9a-f]{64}$/i.test(signature)) return false;
  const given = Buffer.from(signature, 'hex');
  return secrets
    .map((secret) => timingSafeEqual(createHmac('sha256', secret).update(data).digest(), given))
    .some((matches) => matches);
}

/** Throws when a stream would be open to everyone: no secret, or an empty one. */
export function requireSecrets(stream: string, secrets: readonly string[]): void {
  if (secrets.length === 0 || secrets.some((secret) => secret === '')) {
    throw new RangeError(`The ${stream} webhook needs at least one signing secret, none of them empty.`);
  }
}
