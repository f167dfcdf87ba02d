import { hash } from 'node:crypto';

/** A SHA-256 hash as 64 lower-case hex digits: `crypto.hash` gives hex several times faster than Buffers. */
export type Hash = string;

const SHAPE = /^[0-9a-f]{64}$/;
const scratch = Buffer.alloc(1 + 65_535); // 0x00, then the entry; reused for the same reason as `node`
const node = Buffer.alloc(65, 0x01); // reused by every call of nodeHash: hashing is synchronous, so no two calls overlap

export const isHash = (text: string): text is Hash => SHAPE.test(text);

/** RFC 9162 §2.1.1: MTH({d}) = SHA-256(0x00 ‖ d). */
export const leafHash = (entry: Uint8Array): Hash => leafHashAs('hex', entry);

function leafHashAs(encoding: 'hex' | 'binary', entry: Uint8Array): string {
  if (entry.length >= scratch.length) return hash('sha256', Buffer.concat([Buffer.of(0x00), entry]), encoding);
  scratch.set(entry, 1);
  return hash('sha256', scratch.subarray(0, 1 + entry.length), encoding);
}

/** RFC 9162 §2.1.1: SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Hash, right: Hash): Hash {
  node.write(left, 1, 'hex');
  node.write(right, 33, 'hex');
  return hash('sha256', node, 'hex');
}

/** The root of the tree without leaves. */
export const EMPTY_ROOT: Hash = hash('sha256', Buffer.alloc(0), 'hex');

/** A log's state in O(log n): the roots of its perfect subtrees from left to right, one per set bit of `size`. */
export interface CompactRange {
  readonly size: number;
  readonly roots: readonly Hash[];
}

export const EMPTY_RANGE: CompactRange = { size: 0, roots: [] };

/** The range after one more leaf: as many merges as `size` has trailing one bits. */
export function appendLeaf({ size, roots }: CompactRange, leaf: Hash): CompactRange {
  const next = [...roots];
  let merged = leaf;
  for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) merged = nodeHash(takeLast(next), merged);
  next.push(merged);
  return { size: size + 1, roots: next };
}

export function rootOf({ roots }: CompactRange): Hash {
  if (roots.length === 0) return EMPTY_ROOT;
  return roots.reduceRight((right, left) => nodeHash(left, right));
}

/**
 * The root over the leaf hashes of `entries`, in one pass and constant memory: for checking a whole log against a checkpoint
 * without reading what it says. Hashes are kept as latin1 text here, which costs less to move than hex.
 */
export function rootOfEntries(entries: Iterable<Uint8Array>): Hash {
  const roots: string[] = [];
  let size = 0;
  for (const entry of entries) {
    let merged = leafHashAs('binary', entry);
    for (let rest = size; rest % 2 === 1; rest = (rest - 1) / 2) merged = joined(takeLast(roots), merged);
    roots.push(merged);
    size += 1;
  }
  return size === 0
    ? EMPTY_ROOT
    : Buffer.from(
        roots.reduceRight((right, left) => joined(left, right)),
        'latin1',
      ).toString('hex');
}

function joined(left: string, right: string): string {
  node.write(left, 1, 'latin1');
  node.write(right, 33, 'latin1');
  return hash('sha256', node, 'binary');
}

/** A whole tree with the roots of all its perfect subtrees, so that a proof costs O(log² n) instead of O(n). */
export class MerkleTree {
  readonly size: number;
  /** `#levels[h][i]` is the root over the leaves i·2^h … (i+1)·2^h − 1. */
  readonly #levels: readonly (readonly Hash[])[];

  constructor(leaves: readonly Hash[]) {
    const levels: Hash[][] = [[...leaves]];
    for (let below = levels[0] ?? []; below.length > 1; ) {
      const level: Hash[] = [];
      for (let i = 0; i + 1 < below.length; i += 2) level.push(nodeHash(below[i] ?? '', below[i + 1] ?? ''));
      levels.push(level);
      below = level;
    }
    this.size = leaves.length;
    this.#levels = levels;
  }

  /** The root over the first `size` leaves: the Merkle Tree Hash of RFC 9162 §2.1.1. */
  root(size: number = this.size): Hash {
    demand(size >= 0 && size <= this.size, size, this.size);
    return size === 0 ? EMPTY_ROOT : this.#subtree(0, size);
  }

  /** RFC 9162 §2.1.3.1. Throws a RangeError when there is no such leaf. */
  inclusionProof(index: number): readonly Hash[] {
    return inclusionPath(index, this.size).map(([from, to]) => this.#subtree(from, to));
  }

  /** RFC 9162 §2.1.4.1: this tree extends its own first `size` leaves. Throws a RangeError unless 1 ≤ size ≤ this.size. */
  consistencyProof(size: number): readonly Hash[] {
    return consistencyPath(size, this.size).map(([from, to]) => this.#subtree(from, to));
  }

  /** The root over the leaves `from` … `to` − 1, which must be a perfect subtree of the tree. */
  perfect(from: number, to: number): Hash {
    const size = to - from;
    const root = this.#levels[Math.log2(size)]?.[from / size];
    if (root === undefined) throw new RangeError(`The leaves ${from} to ${to} are not a perfect subtree`);
    return root;
  }

  #subtree(from: number, to: number): Hash {
    const size = to - from;
    if (isPowerOfTwo(size)) return this.#levels[Math.log2(size)]?.[from / size] ?? '';
    const middle = from + splitOf(size);
    return nodeHash(this.#subtree(from, middle), this.#subtree(middle, to));
  }
}

/** The leaves `from` … `to` − 1, as one subtree. */
export type Range = readonly [from: number, to: number];

/** RFC 9162 §2.1.3.1: the subtrees whose roots prove leaf `index` of a tree of `size`, from the leaf up. Throws a RangeError when there is no such leaf. */
export function inclusionPath(index: number, size: number): readonly Range[] {
  demand(index >= 0 && index < size, index, size);
  const path: Range[] = [];
  let from = 0;
  let to = size;
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    if (index < middle) {
      path.push([middle, to]);
      to = middle;
    } else {
      path.push([from, middle]);
      from = middle;
    }
  }
  return path.reverse();
}

/** RFC 9162 §2.1.4.1: the subtrees whose roots prove that a tree of `size` extends its first `older` leaves. Throws a RangeError unless 1 ≤ older ≤ size. */
export function consistencyPath(older: number, size: number): readonly Range[] {
  demand(older >= 1 && older <= size, older, size);
  const path: Range[] = [];
  let from = 0;
  let to = size;
  let whole = true; // the old tree is the whole left part so far: the verifier knows its root
  while (older !== to) {
    const middle = from + splitOf(to - from);
    if (older <= middle) {
      path.push([middle, to]);
      to = middle;
    } else {
      path.push([from, middle]);
      from = middle;
      whole = false;
    }
  }
  if (!whole) path.push([from, to]);
  return path.reverse();
}

function demand(holds: boolean, at: number, size: number): void {
  if (!holds || !Number.isSafeInteger(at)) throw new RangeError(`${at} is outside of a tree of ${size} leaves`);
}

/** RFC 9162 §2.1.3.2. False for anything that is not exactly the proof. */
export function verifyInclusion(leaf: Hash, index: number, size: number, proof: readonly Hash[], root: Hash): boolean {
  if (!Number.isSafeInteger(index) || !Number.isSafeInteger(size) || index < 0 || index >= size) return false;
  if (![leaf, root, ...proof].every(isHash)) return false;
  let at = BigInt(index);
  let last = BigInt(size) - 1n;
  let seen = leaf;
  for (const sibling of proof) {
    if (last === 0n) return false;
    if (at % 2n === 1n || at === last) {
      seen = nodeHash(sibling, seen);
      while (at % 2n === 0n && at !== 0n) {
        at >>= 1n;
        last >>= 1n;
      }
    } else {
      seen = nodeHash(seen, sibling);
    }
    at >>= 1n;
    last >>= 1n;
  }
  return last === 0n && seen === root;
}

/** A tree as a checkpoint names it. */
export interface Tree {
  readonly size: number;
  readonly root: Hash;
}

/** RFC 9162 §2.1.4.2. False for anything that is not exactly the proof; nothing is consistent with the empty tree by proof. */
export function verifyConsistency(older: Tree, newer: Tree, proof: readonly Hash[]): boolean {
  if (!Number.isSafeInteger(older.size) || !Number.isSafeInteger(newer.size)) return false;
  if (older.size < 1 || older.size > newer.size) return false;
  if (older.size === newer.size) return proof.length === 0 && older.root === newer.root;
  if (![older.root, newer.root, ...proof].every(isHash)) return false;
  const path = isPowerOfTwo(older.size) ? [older.root, ...proof] : proof;
  const [first, ...rest] = path;
  if (first === undefined) return false;
  let at = BigInt(older.size) - 1n;
  let last = BigInt(newer.size) - 1n;
  while (at % 2n === 1n) {
    at >>= 1n;
    last >>= 1n;
  }
  let oldRoot = first;
  let newRoot = first;
  for (const sibling of rest) {
    if (last === 0n) return false;
    if (at % 2n === 1n || at === last) {
      oldRoot = nodeHash(sibling, oldRoot);
      newRoot = nodeHash(sibling, newRoot);
      while (at % 2n === 0n && at !== 0n) {
        at >>= 1n;
        last >>= 1n;
      }
    } else {
      newRoot = nodeHash(newRoot, sibling);
    }
    at >>= 1n;
    last >>= 1n;
  }
  return last === 0n && oldRoot === older.root && newRoot === newer.root;
}

/** The largest power of two smaller than `n`, for n > 1: where RFC 9162 splits a tree. */
export function splitOf(n: number): number {
  let k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}

function takeLast(roots: Hash[]): Hash {
  const last = roots.pop();
  if (last === undefined) throw new Error('The compact range holds fewer roots than its size calls for');
  return last;
}

export function isPowerOfTwo(n: number): boolean {
  let rest = n;
  while (rest > 1 && rest % 2 === 0) rest /= 2;
  return rest === 1;
}
