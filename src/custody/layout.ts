/** Names inside a bundle: bundle.ts writes them and verify.ts accepts no others. */

export const ENTRIES = 'entries.jsonl';
export const LEAVES = 'proofs/leaves.txt';
export const FORM = 'custody-form.html';
export const GUIDE = 'VERIFY.md';
export const MANIFEST = 'manifest.json';
export const ENVELOPE = 'manifest.dsse.json';

export const checkpointFile = (size: number): string => `checkpoints/${size}.note`;
export const inclusionFile = (seq: number): string => `proofs/${seq}.tlog-proof`;
export const consistencyFile = (size: number): string => `proofs/${size}.consistency`;
/** An RFC 3161 token over the checkpoint of `size`, by the authority `name`. */
export const timestampFile = (size: number, name: string): string => `anchors/${size}.${name}.tsr`;
