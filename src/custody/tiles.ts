import {
  consistencyPath,
  EMPTY_ROOT,
  type Hash,
  inclusionPath,
  isPowerOfTwo,
  MerkleTree,
  nodeHash,
  type Range,
  splitOf,
} from './merkle.ts';

/** A log's tree cut into tiles of 256 hashes, eight levels high, as https://c2sp.org/tlog-tiles has it. */

export const TILE_WIDTH = 256;
const TILE_HEIGHT = 8;

/** Gives the hashes of a tile from its left, at least as many as the tree that is asked about has. */
export type ReadTile = (level: number, index: number) => Promise<readonly Hash[]>;

/** Of which tile: a level of hashes, or the entries themselves. `width` is 256, or less for the one at the right edge. */
export interface TileName {
  readonly level: number | 'entries';
  readonly index: number;
  readonly width: number;
}

const PATH = /^(entries|0|[1-9]|[1-5][0-9]|6[0-3])\/((?:x[0-9]{3}\/)*[0-9]{3})(?:\.p\/([1-9][0-9]{0,2}))?$/;

/** The part of a tile's address behind `tile/`: `0/x001/x234/067.p/8`. */
export function tilePath({ level, index, width }: TileName): string {
  const digits = String(index).padStart(Math.ceil(String(index).length / 3) * 3, '0');
  const groups = digits.match(/.{3}/g) ?? [];
  const path = groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
  return `${level}/${path}${width === TILE_WIDTH ? '' : `.p/${width}`}`;
}

/** Strict inverse of `tilePath`; undefined for anything else. */
export function parseTilePath(path: string): TileName | undefined {
  const [, level, groups, partial] = PATH.exec(path) ?? [];
  if (level === undefined || groups === undefined) return undefined;
  const name: TileName = {
    level: level === 'entries' ? level : Number(level),
    index: Number(groups.replaceAll(/[x/]/g, '')),
    width: partial === undefined ? TILE_WIDTH : Number(partial),
  };
  const ok = Number.isSafeInteger(name.index) && name.width <= TILE_WIDTH && tilePath(name) === path;
  return ok ? name : undefined;
}

/** How many hashes the tile has in a tree of `size` leaves: 256, fewer at the right edge, 0 beyond it. */
export function widthOf(level: number | 'entries', index: number, size: number): number {
  const height = level === 'entries' ? 0 : level * TILE_HEIGHT;
  const hashes = Math.floor(size / 2 ** height);
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** A tree of `size` leaves that is never read whole: a proof takes one tile for every eight levels. Keeps what it read. */
export class TiledTree {
  readonly size: number;
  readonly #read: ReadTile;
  readonly #tiles = new Map<string, Promise<MerkleTree>>();
  readonly #subtrees = new Map<string, Promise<Hash>>();

  constructor(size: number, read: ReadTile) {
    this.size = size;
    this.#read = read;
  }

  /** The root over the first `size` leaves. */
  async root(size: number = this.size): Promise<Hash> {
    return size === 0 ? EMPTY_ROOT : this.#subtree([0, size]);
  }

  /** RFC 9162 §2.1.3.1. Rejects with a RangeError when there is no such leaf. */
  async inclusionProof(index: number): Promise<readonly Hash[]> {
    return Promise.all(inclusionPath(index, this.size).map((range) => this.#subtree(range)));
  }

  /** RFC 9162 §2.1.4.1. Rejects with a RangeError unless 1 ≤ older ≤ size. */
  async consistencyProof(older: number): Promise<readonly Hash[]> {
    return Promise.all(consistencyPath(older, this.size).map((range) => this.#subtree(range)));
  }

  #subtree([from, to]: Range): Promise<Hash> {
    if (isPowerOfTwo(to - from)) return this.#perfect(from, to);
    const key = `${from}-${to}`;
    const known = this.#subtrees.get(key);
    if (known) return known;
    const middle = from + splitOf(to - from);
    const root = Promise.all([this.#subtree([from, middle]), this.#subtree([middle, to])]).then(([left, right]) =>
      nodeHash(left, right),
    );
    this.#subtrees.set(key, root);
    return root;
  }

  /** A perfect subtree lies within one tile: the one whose hashes are at most 2⁷ times smaller. */
  async #perfect(from: number, to: number): Promise<Hash> {
    const height = Math.log2(to - from);
    const level = Math.floor(height / TILE_HEIGHT);
    const unit = 2 ** (level * TILE_HEIGHT);
    const index = Math.floor(from / unit / TILE_WIDTH);
    const first = from / unit - index * TILE_WIDTH;
    return (await this.#tile(level, index)).perfect(first, first + (to - from) / unit);
  }

  #tile(level: number, index: number): Promise<MerkleTree> {
    const key = `${level}/${index}`;
    const known = this.#tiles.get(key);
    if (known) return known;
    const width = widthOf(level, index, this.size);
    const tile = this.#read(level, index).then((hashes) => {
      if (hashes.length < width) throw new RangeError(`The tile ${key} holds ${hashes.length} hashes, not ${width}`);
      return new MerkleTree(hashes.slice(0, width));
    });
    this.#tiles.set(key, tile);
    return tile;
  }
}
