import { sql } from 'kysely';
import type { Entry } from '../core/entry.ts';
import type { Reader, Store } from '../store/store.ts';
import { anchorsOf, cosignedNote } from './anchors/store.ts';
import type { SignedCheckpoint } from './checkpoint.ts';
import { renderForm } from './form.ts';
import { renderGuide } from './guide.ts';
import {
  checkpointFile,
  consistencyFile,
  ENTRIES,
  FORM,
  GUIDE,
  inclusionFile,
  LEAVES,
  timestampFile,
} from './layout.ts';
import { type BundleFacts, type Scope, writeManifest } from './manifest.ts';
import { verifyConsistency, verifyInclusion } from './merkle.ts';
import { parseVkey } from './note.ts';
import { formatConsistency, formatInclusion } from './proof.ts';
import { entryOf } from './row.ts';
import type { Signer } from './signer.ts';
import { checkHead, lastCheckpoint, StoreTampered } from './state.ts';
import { packTar, type TarFile } from './tar.ts';
import { TiledTree } from './tiles.ts';
import { dropTree, growTree, tilesIn } from './tree-store.ts';

export interface ExportOptions {
  readonly store: Store;
  readonly signer: Signer;
  readonly tool: Entry['tool'];
  readonly now: Date;
  /** Only this incident, with the proof that each entry is in the log; without it, the whole log. */
  readonly incident?: string;
  /** The size of a checkpoint that the auditor already holds: proves that the log only grew since. */
  readonly since?: number;
}

/**
 * A bundle for an auditor, as the bytes of a .tar file. Throws when the log is empty, the incident has no entries, `since` is
 * not a size that the log has had, or the database contradicts itself.
 */
export async function exportBundle(options: ExportOptions): Promise<Buffer> {
  const { store, signer, incident, since } = options;
  const key = parseVkey(signer.vkey);
  await checkHead(store.db, signer.vkey);
  const checkpoint = await lastCheckpoint(store.db, key);
  if (!checkpoint) throw new Error('The log is empty: there is nothing to export yet');
  if (since !== undefined && !(Number.isSafeInteger(since) && since >= 1 && since <= checkpoint.size)) {
    throw new Error(`The log has ${checkpoint.size} entries: it cannot be compared with one of ${since}`);
  }
  const rows = await rowsOf(store.db, checkpoint.size, incident);
  if (rows.length === 0) throw new Error(`The log holds nothing about the incident ${incident}`);
  const entries = rows.map((row) => ({ row, entry: entryOf(row), leaf: row.leaf }));
  const [first] = entries;
  const scope: Scope = incident === undefined ? { kind: 'ledger' } : { kind: 'incident', incident };
  const facts: BundleFacts = {
    scope,
    log: { origin: checkpoint.origin, size: checkpoint.size, root: checkpoint.root },
    mode: first?.entry.mode ?? 'live',
    exportedAt: options.now.toISOString(),
    tool: options.tool,
  };
  const note = await cosignedNote(store.db, checkpoint.size);
  const files: TarFile[] = [
    { name: ENTRIES, bytes: Buffer.concat(rows.flatMap(({ bytes }) => [bytes, Buffer.from('\n')])) },
    { name: checkpointFile(checkpoint.size), bytes: Buffer.from(note) },
    { name: FORM, bytes: Buffer.from(renderForm(facts, entries)) },
    { name: GUIDE, bytes: Buffer.from(renderGuide(facts)) },
  ];
  files.push(
    ...(await withTree(store, checkpoint, (tree) => proofsOf(tree, { scope, rows, checkpoint, note, since }))),
  );
  for (const { kind, name, bytes } of await anchorsOf(store.db, checkpoint.size)) {
    if (kind === 'rfc3161') files.push({ name: timestampFile(checkpoint.size, name), bytes });
  }
  return packTar([...files, ...writeManifest(facts, files, signer)]);
}

/**
 * The newest checkpoint as a signed note: what an auditor keeps, so that `--seen` can later show that nothing was cut off.
 * Throws when the log is empty or the database contradicts itself.
 */
export async function exportCheckpoint(store: Store, vkey: string): Promise<string> {
  await checkHead(store.db, vkey);
  const checkpoint = await lastCheckpoint(store.db, parseVkey(vkey));
  if (!checkpoint) throw new Error('The log is empty: there is no checkpoint yet');
  return cosignedNote(store.db, checkpoint.size);
}

interface Provable {
  readonly scope: Scope;
  readonly rows: readonly { readonly seq: number; readonly leaf: string }[];
  readonly checkpoint: SignedCheckpoint;
  readonly note: string;
  readonly since: number | undefined;
}

/** The files that prove the entries to be in the log. Rejects with StoreTampered when one does not lead to the signed root. */
async function proofsOf(
  tree: TiledTree,
  { scope, rows, checkpoint, note, since }: Provable,
): Promise<readonly TarFile[]> {
  const files: TarFile[] = [];
  switch (scope.kind) {
    case 'ledger':
      files.push({ name: LEAVES, bytes: Buffer.from(rows.map(({ leaf }) => `${leaf}\n`).join('')) });
      break;
    case 'incident':
      for (const { seq, leaf } of rows) {
        const proof = await tree.inclusionProof(seq);
        if (!verifyInclusion(leaf, seq, checkpoint.size, proof, checkpoint.root)) throw changed(seq);
        files.push({
          name: inclusionFile(seq),
          bytes: Buffer.from(formatInclusion({ index: seq, proof, checkpoint: note })),
        });
      }
      break;
  }
  if (since !== undefined) {
    const proof = await tree.consistencyProof(since);
    if (!verifyConsistency({ size: since, root: await tree.root(since) }, checkpoint, proof)) throw changed(since - 1);
    files.push({
      name: consistencyFile(since),
      bytes: Buffer.from(formatConsistency({ index: since, proof, checkpoint: note })),
    });
  }
  return files;
}

/**
 * Gives `use` the log's tree, of which it must prove whatever it takes. The cache of the tree is never believed: when something
 * does not lead to the signed root, it is made anew, once. The log only grows, so what lies below the checkpoint's size stays as
 * it is while we read.
 */
async function withTree<T>(
  store: Store,
  { size, root }: SignedCheckpoint,
  use: (tree: TiledTree) => Promise<T>,
): Promise<T> {
  const attempt = async (): Promise<T> => {
    await growTree(store, size);
    const tree = new TiledTree(size, tilesIn(store.db));
    if ((await tree.root()) !== root) throw new StoreTampered('The entries do not have the root hash that is signed');
    return use(tree);
  };
  try {
    return await attempt();
  } catch (error) {
    if (!(error instanceof StoreTampered)) throw error;
    await dropTree(store);
    return attempt();
  }
}

const changed = (seq: number): StoreTampered => new StoreTampered(`Entry ${seq} is not in the tree that is signed`);

/** With an incident go the newest heartbeat, which shows how recent the log is, and the changes of its key: they betray no other incident. */
async function rowsOf(db: Reader, size: number, incident: string | undefined) {
  const all = db.selectFrom('ledger').selectAll().where('seq', '<', size).orderBy('seq');
  if (incident === undefined) return all.execute();
  const own = await all.where('incident', '=', incident).execute();
  if (own.length === 0) return own;
  // Literals, not parameters: only so do databases see that a partial index serves.
  const ofTheLog = db.selectFrom('ledger').selectAll().where('seq', '<', size).where('incident', 'is', null);
  const heartbeat = await ofTheLog.where('type', '=', sql.lit('heartbeat')).orderBy('seq', 'desc').limit(1).execute();
  const rotations = await ofTheLog.where('type', '=', sql.lit('key.rotate')).execute();
  return [...own, ...heartbeat, ...rotations].toSorted((a, b) => a.seq - b.seq);
}
