import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { formatCheckpoint, signCheckpoint } from '../../src/custody/checkpoint.ts';
import { cosignatureBy, createCosigner } from '../../src/custody/cosignature.ts';
import { leafHash, MerkleTree } from '../../src/custody/merkle.ts';
import { COSIGNATURE_V1, parseNote, parseVkey } from '../../src/custody/note.ts';
import { formatConsistency } from '../../src/custody/proof.ts';
import { generateSigner } from '../../src/custody/signer.ts';
import { fileState } from '../../src/witness/state.ts';
import { addCheckpoint } from '../../src/witness/witness.ts';
import { startWitness, type TestWitness } from '../custody/outside.ts';

const ORIGIN = 'example.org/log';
const signer = generateSigner(ORIGIN, new Uint8Array(32).fill(1));
const treeOf = (count: number, salt = '') =>
  new MerkleTree(Array.from({ length: count }, (_, i) => leafHash(Buffer.from(`${salt}${i}`))));
const noteOf = (tree: MerkleTree, by = signer) =>
  signCheckpoint({ origin: by.name, size: tree.size, root: tree.root() }, by);
const bodyOf = (old: number, tree: MerkleTree, note = noteOf(tree)) =>
  formatConsistency({
    index: old,
    proof: old > 0 && old < tree.size ? tree.consistencyProof(old) : [],
    checkpoint: note,
  });

const open: TestWitness[] = [];
const dirs: string[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((each) => each.close()));
  for (const dir of dirs.splice(0)) rmSync(dir, { recursive: true, force: true });
});
async function witness(): Promise<TestWitness> {
  const started = await startWitness([signer.vkey]);
  open.push(started);
  return started;
}
const post = ({ url }: { url: string }, body: string) => fetch(`${url}/add-checkpoint`, { method: 'POST', body });

describe('a witness', () => {
  it('cosigns a log as it grows, and its cosignature verifies', async () => {
    const w = await witness();
    for (const [old, size] of [
      [0, 3],
      [3, 3],
      [3, 8],
      [8, 21],
    ] as const) {
      const response = await post(w, bodyOf(old, treeOf(size)));
      expect(response.status).toBe(200);
      const note = parseNote(Buffer.from(noteOf(treeOf(size)) + (await response.text())));
      const signature = cosignatureBy(note, parseVkey(w.vkey, [COSIGNATURE_V1]));
      expect(signature?.bytes.readBigUInt64BE(0)).toBe(1_772_355_600n);
    }
  });

  it.each([
    ['another history', bodyOf(8, treeOf(21, 'x')), 422],
    ['another history of the same size', bodyOf(8, treeOf(8, 'x')), 409],
    ['a shorter log', bodyOf(5, treeOf(5)), 409],
    ['an old size beyond the checkpoint', bodyOf(9, treeOf(8)), 400],
    ['a growth without its proof', formatConsistency({ index: 8, proof: [], checkpoint: noteOf(treeOf(21)) }), 422],
    [
      'a proof between equal sizes',
      formatConsistency({ index: 8, proof: [leafHash(Buffer.of(1))], checkpoint: noteOf(treeOf(8)) }),
      422,
    ],
    ['a log that it does not know', bodyOf(0, treeOf(3), noteOf(treeOf(3), generateSigner('example.org/other'))), 404],
    ['a key that it does not know', bodyOf(8, treeOf(21), noteOf(treeOf(21), generateSigner(ORIGIN))), 403],
    [
      'a checkpoint that nobody signed',
      `old 8\n\n${formatCheckpoint({ origin: ORIGIN, size: 9, root: treeOf(9).root() })}\n`,
      400,
    ],
    ['something else', 'hello', 400],
    ['a size with a leading zero', bodyOf(8, treeOf(21)).replace('old 8', 'old 08'), 400],
  ])('that has seen 8 entries refuses %s', async (_what, body, status) => {
    const w = await witness();
    expect((await post(w, bodyOf(0, treeOf(8)))).status).toBe(200);
    expect((await post(w, body)).status).toBe(status);
    expect((await post(w, bodyOf(8, treeOf(9)))).status).toBe(200); // and its memory is as it was
  });

  it('says what size it saw when asked from another one', async () => {
    const w = await witness();
    await post(w, bodyOf(0, treeOf(8)));
    const response = await post(w, bodyOf(3, treeOf(21)));
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      409,
      'text/x.tlog.size',
      '8\n',
    ]);
  });

  it('takes no proof for its first checkpoint but an empty one', async () => {
    const w = await witness();
    expect(
      (await post(w, formatConsistency({ index: 0, proof: [leafHash(Buffer.of(1))], checkpoint: noteOf(treeOf(8)) })))
        .status,
    ).toBe(422);
  });

  it('is not brought to its knees by a true checkpoint under which a stranger put a hundred lines', async () => {
    const w = await witness();
    const stranger = generateSigner('stranger.example', new Uint8Array(32).fill(2));
    const line = noteOf(treeOf(8), stranger).split('\n\n')[1] ?? '';
    expect((await post(w, bodyOf(0, treeOf(8), noteOf(treeOf(8)) + line.repeat(99)))).status).toBe(200);
    expect((await post(w, bodyOf(8, treeOf(9)))).status).toBe(200);
  });

  it('serves nothing else, and reads no body without end', async () => {
    const w = await witness();
    expect((await fetch(w.url)).status).toBe(404);
    expect((await fetch(`${w.url}/add-checkpoint`)).status).toBe(405);
    expect((await post(w, 'x'.repeat(70_000))).status).toBe(413);
  });

  it('remembers across a restart, and does not begin anew where its memory is damaged', () => {
    const dir = mkdtempSync(join(tmpdir(), 'witness-'));
    dirs.push(dir);
    const options = () => ({
      cosigner: createCosigner('w', new Uint8Array(32).fill(3)),
      logs: [parseVkey(signer.vkey)],
      state: fileState(dir),
      now: () => new Date(0),
    });
    expect(addCheckpoint(options(), Buffer.from(bodyOf(0, treeOf(8)))).status).toBe(200);
    expect(addCheckpoint(options(), Buffer.from(bodyOf(0, treeOf(8, 'x')))).status).toBe(409);
    expect(addCheckpoint(options(), Buffer.from(bodyOf(8, treeOf(9)))).status).toBe(200);
    const [file = ''] = readdirSync(dir);
    writeFileSync(join(dir, file), '');
    expect(() => addCheckpoint(options(), Buffer.from(bodyOf(0, treeOf(8, 'x'))))).toThrow();
  });
});
