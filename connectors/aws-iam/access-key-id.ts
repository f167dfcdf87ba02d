/** `AKIA` is a user's long-lived key; `ASIA` belongs to a temporary session. */
export type AccessKeyPrefix = 'AKIA' | 'ASIA' | 'ABIA' | 'ACCA';

/** What an access key id says of itself; `account` is null for ids older than about 2019, which do not carry it. */
export interface AccessKeyId {
  readonly prefix: AccessKeyPrefix;
  readonly account: string | null;
}

const SHAPE = /^(AKIA|ASIA|ABIA|ACCA)([A-Z2-7]{16})$/;
const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const ACCOUNT_BITS = 0x7fff_ffff_ff80n;
/** Ids that start with I or J after the prefix were made before the account was encoded in them. */
const OLD = /^[IJ]/;

/**
 * Reads an access key id without asking anyone; null when it is not one. The encoding is AWS's own and undocumented:
 * base32 after the prefix, the first 6 bytes, masked and shifted right by 7.
 */
export function readAccessKeyId(id: string): AccessKeyId | null {
  const [, prefix, rest] = SHAPE.exec(id) ?? [];
  if (!rest || (prefix !== 'AKIA' && prefix !== 'ASIA' && prefix !== 'ABIA' && prefix !== 'ACCA')) return null;
  if (OLD.test(rest)) return { prefix, account: null };
  let bits = 0n;
  for (const letter of rest.slice(0, 10)) bits = (bits << 5n) | BigInt(BASE32.indexOf(letter));
  const firstSixBytes = bits >> 2n;
  return { prefix, account: String((firstSixBytes & ACCOUNT_BITS) >> 7n).padStart(12, '0') };
}

/** The reverse, for simulated providers: an id of `account` with the 40 free bits taken from `random`. */
export function makeAccessKeyId(
  prefix: AccessKeyPrefix,
  account: string,
  random: (bytes: number) => Uint8Array,
): string {
  let free = 0n;
  for (const byte of random(5)) free = (free << 8n) | BigInt(byte);
  // The top bit is what keeps the first letter past I and J.
  let bits = (1n << 79n) | (BigInt(account) << 39n) | (free & ((1n << 39n) - 1n));
  let letters = '';
  for (let i = 0; i < 16; i += 1) {
    letters = BASE32.charAt(Number(bits & 31n)) + letters;
    bits >>= 5n;
  }
  return `${prefix}${letters}`;
}
