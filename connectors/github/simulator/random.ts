import { checksumOf, type TokenType } from '../token.ts';

export type Random = () => number;

/** Numbers in [0, 1) that the seed alone decides (mulberry32): a drill can be played again. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const ALPHANUMERIC = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

export const characters = (random: Random, length: number): string =>
  Array.from({ length }, () => ALPHANUMERIC[Math.floor(random() * ALPHANUMERIC.length)]).join('');

/** A token of GitHub's form, its checksum right where it is documented. */
export function makeToken(random: Random, type: TokenType, appId: string): string {
  switch (type) {
    case 'github_pat':
      return `github_pat_${characters(random, 22)}_${characters(random, 59)}`;
    case 'ghs':
      return `ghs_${appId}_${characters(random, 36)}.${characters(random, 120)}.${characters(random, 342)}`;
    case 'ghp':
    case 'gho':
    case 'ghu':
    case 'ghr': {
      const body = characters(random, 30);
      return `${type}_${body}${checksumOf(body)}`;
    }
  }
}
