import { utf8 } from './canonical.ts';
import type { Hash } from './merkle.ts';
import { BadNote } from './note.ts';

/** Merkle proofs as files: lines of base64 hashes, an empty line, and the checkpoint that they lead to, verbatim. */

const INCLUSION = /^c2sp\.org\/tlog-proof@v1\nindex (0|[1-9][0-9]{0,15})\n((?:[A-Za-z0-9+/]{43}=\n)*)\n([\s\S]+)$/;
const CONSISTENCY = /^old (0|[1-9][0-9]{0,15})\n((?:[A-Za-z0-9+/]{43}=\n)*)\n([\s\S]+)$/;

export interface ProofFile {
  /** The entry's index, or the size of the older tree. */
  readonly index: number;
  readonly proof: readonly Hash[];
  /** The signed note, as it stands in the file. */
  readonly checkpoint: string;
}

/** https://c2sp.org/tlog-proof: an entry is in the log that the checkpoint names. */
export const formatInclusion = ({ index, proof, checkpoint }: ProofFile): string =>
  `c2sp.org/tlog-proof@v1\nindex ${index}\n${lines(proof)}\n${checkpoint}`;

/** The body of https://c2sp.org/tlog-witness add-checkpoint: the log only grew since it had `index` entries. */
export const formatConsistency = ({ index, proof, checkpoint }: ProofFile): string =>
  `old ${index}\n${lines(proof)}\n${checkpoint}`;

/** Strict inverse of `formatInclusion`. Throws BadNote. */
export const parseInclusion = (bytes: Uint8Array): ProofFile => parse(INCLUSION, formatInclusion, bytes);

/** Strict inverse of `formatConsistency`. Throws BadNote. */
export const parseConsistency = (bytes: Uint8Array): ProofFile => parse(CONSISTENCY, formatConsistency, bytes);

function parse(shape: RegExp, format: (file: ProofFile) => string, bytes: Uint8Array): ProofFile {
  const text = utf8(bytes);
  const [, index, hashes, checkpoint] = shape.exec(text) ?? [];
  if (index === undefined || hashes === undefined || checkpoint === undefined)
    throw new BadNote('It is not a proof file');
  const proof = hashes
    .split('\n')
    .slice(0, -1)
    .map((line) => Buffer.from(line, 'base64').toString('hex'));
  const file = { index: Number(index), proof, checkpoint };
  if (format(file) !== text) throw new BadNote('Its hashes are not well-formed base64');
  return file;
}

const lines = (proof: readonly Hash[]): string =>
  proof.map((hash) => `${Buffer.from(hash, 'hex').toString('base64')}\n`).join('');
