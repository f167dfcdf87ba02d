import { describe, expect, it } from 'vitest';
import {
  appendLeaf,
  EMPTY_RANGE,
  EMPTY_ROOT,
  type Hash,
  leafHash,
  MerkleTree,
  nodeHash,
  rootOf,
  verifyConsistency,
  verifyInclusion,
} from '../../src/custody/merkle.ts';

const SIZES = 70;
const leaves: readonly Hash[] = Array.from({ length: SIZES }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)));

/** RFC 9162 §2.1.1 word for word: slow and plainly right. */
function reference(all: readonly Hash[]): Hash {
  const [only] = all;
  if (only === undefined) return EMPTY_ROOT;
  if (all.length === 1) return only;
  let k = 1;
  while (k * 2 < all.length) k *= 2;
  return nodeHash(reference(all.slice(0, k)), reference(all.slice(k)));
}

describe('the Merkle tree', () => {
  it('has the root of RFC 9162 at every size, appended leaf by leaf or built at once', () => {
    let range = EMPTY_RANGE;
    const whole = new MerkleTree(leaves);
    for (let size = 0; size <= SIZES; size += 1) {
      const root = reference(leaves.slice(0, size));
      expect(rootOf(range)).toBe(root);
      expect(new MerkleTree(leaves.slice(0, size)).root()).toBe(root);
      expect(whole.root(size)).toBe(root);
      range = appendLeaf(range, leaves[size] ?? leafHash(Buffer.of()));
    }
  });

  it('proves every leaf of every size, and the proof fits no other leaf, index, size or root', () => {
    for (let size = 1; size <= SIZES; size += 1) {
      const tree = new MerkleTree(leaves.slice(0, size));
      const root = tree.root();
      for (let i = 0; i < size; i += 1) {
        const leaf = leaves[i] ?? '';
        const proof = tree.inclusionProof(i);
        expect(verifyInclusion(leaf, i, size, proof, root)).toBe(true);
        expect(verifyInclusion(leaf, i + 1, size, proof, root)).toBe(false);
        expect(verifyInclusion(leafHash(Buffer.from('x')), i, size, proof, root)).toBe(false);
        expect(verifyInclusion(leaf, i, size, [...proof, root], root)).toBe(false);
        expect(verifyInclusion(leaf, i, size, proof, reference(leaves.slice(0, size - 1)))).toBe(false);
        if (proof.length > 0) expect(verifyInclusion(leaf, i, size, proof.slice(1), root)).toBe(false);
      }
    }
  });

  it('proves that it extends every smaller tree, and no other tree', () => {
    for (let size = 1; size <= SIZES; size += 1) {
      const tree = new MerkleTree(leaves.slice(0, size));
      const newer = { size, root: tree.root() };
      for (let old = 1; old <= size; old += 1) {
        const proof = tree.consistencyProof(old);
        const older = { size: old, root: reference(leaves.slice(0, old)) };
        expect(verifyConsistency(older, newer, proof)).toBe(true);
        expect(
          verifyConsistency(
            { ...older, root: leaves[0] === older.root ? EMPTY_ROOT : (leaves[0] ?? '') },
            newer,
            proof,
          ),
        ).toBe(false);
        expect(verifyConsistency(older, { size, root: EMPTY_ROOT }, proof)).toBe(false);
        expect(verifyConsistency(older, newer, [...proof, newer.root])).toBe(false);
      }
    }
  });

  it('refuses sizes and indexes that are no safe integers, and hashes that are no hashes', () => {
    const tree = new MerkleTree(leaves);
    expect(() => tree.inclusionProof(SIZES)).toThrow(RangeError);
    expect(() => tree.inclusionProof(0.5)).toThrow(RangeError);
    expect(() => tree.consistencyProof(0)).toThrow(RangeError);
    expect(verifyInclusion(leaves[0] ?? '', 2 ** 53, 2 ** 54, [], tree.root())).toBe(false);
    expect(verifyInclusion('', 0, 1, [], '')).toBe(false);
    expect(verifyConsistency({ size: 0, root: EMPTY_ROOT }, { size: SIZES, root: tree.root() }, [])).toBe(false);
  });
});
