import { crc32 } from 'node:zlib';

/** What GitHub's prefixes mean: https://docs.github.com/authentication/keeping-your-account-and-data-secure/about-authentication-to-github#githubs-token-formats */
export const TOKEN_TYPES = ['ghp', 'github_pat', 'gho', 'ghu', 'ghr', 'ghs'] as const;
export type TokenType = (typeof TOKEN_TYPES)[number];

export const TOKEN_TITLES: Readonly<Record<TokenType, string>> = {
  ghp: 'personal access token (classic)',
  github_pat: 'fine-grained personal access token',
  gho: 'OAuth app token',
  ghu: 'GitHub App user token',
  ghr: 'GitHub App refresh token',
  ghs: 'GitHub App installation token',
};

/** Since April 2026 an installation token is `ghs_APPID_JWT`, about 520 characters with dots; before, 36 like the others. */
const SHAPES: readonly (readonly [TokenType, RegExp])[] = [
  ['github_pat', /^github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}$/],
  ['ghs', /^ghs_[A-Za-z0-9._-]{36,}$/],
  ['ghp', /^ghp_[A-Za-z0-9]{36,}$/],
  ['gho', /^gho_[A-Za-z0-9]{36,}$/],
  ['ghu', /^ghu_[A-Za-z0-9]{36,}$/],
  ['ghr', /^ghr_[A-Za-z0-9]{36,}$/],
];

/** The type of a token by its form, or null when it has the form of none. */
export const tokenTypeOf = (secret: string): TokenType | null =>
  SHAPES.find(([, shape]) => shape.test(secret))?.[0] ?? null;

/** The app that an installation token of the new form names, or null. */
export const appIdIn = (token: string): string | null => /^ghs_(\d+)_/.exec(token)?.[1] ?? null;

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The six characters that end a token of the 36 form: the base62 CRC-32 of the thirty before. */
export function checksumOf(random: string): string {
  let rest = crc32(random);
  let text = '';
  do {
    text = `${BASE62[rest % 62]}${text}`;
    rest = Math.floor(rest / 62);
  } while (rest > 0);
  return text.padStart(6, '0');
}

/**
 * Whether the checksum at the end is right; null for forms whose checksum is not documented.
 * A signal of confidence only, never a filter: GitHub has changed its forms before.
 */
export function checksumMatches(token: string): boolean | null {
  const [, random, checksum] = /^gh[pousr]_([A-Za-z0-9]{30})([A-Za-z0-9]{6})$/.exec(token) ?? [];
  return random === undefined ? null : checksumOf(random) === checksum;
}

/** `text` without anything that has the form of a token: the last door before a message for people. */
export const withoutTokens = (text: string): string =>
  text.replace(/(?:gh[pousr]|github_pat)_[A-Za-z0-9._-]{16,}/g, '[token]');
