import type { Entry } from '../core/entry.ts';
import type { Reader, Store } from '../store/store.ts';
import type { SignedCheckpoint } from './checkpoint.ts';
import { renderForm } from './form.ts';
import { renderGuide } from './guide.ts';
import { checkpointFile, consistencyFile, ENTRIES, FORM, GUIDE, inclusionFile, LEAVES } from './layout.ts';
import { type BundleFacts, type Scope, writeManifest } from './manifest.ts';
import { type Hash, MerkleTree } from './merkle.ts';
import { parseVkey } from './note.ts';
import { formatConsistency, formatInclusion } from './proof.ts';
import { entryOf } from './row.ts';
import type { Signer } from './signer.ts';
import { checkHead, lastCheckpoint } from './state.ts';
import { packTar, type TarFile } from './tar.ts';

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
  // The log only grows, so what lies below the checkpoint's size stays as it is while we read.
  const leaves = await leavesOf(store.db, checkpoint.size);
  const tree = new MerkleTree(leaves);
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
  const note = await noteOf(store.db, checkpoint);
  const files: TarFile[] = [
    { name: ENTRIES, bytes: Buffer.concat(rows.flatMap(({ bytes }) => [bytes, Buffer.from('\n')])) },
    { name: checkpointFile(checkpoint.size), bytes: Buffer.from(note) },
    { name: FORM, bytes: Buffer.from(renderForm(facts, entries)) },
    { name: GUIDE, bytes: Buffer.from(renderGuide(facts)) },
  ];
  switch (scope.kind) {
    case 'ledger':
      files.push({ name: LEAVES, bytes: Buffer.from(leaves.map((leaf) => `${leaf}\n`).join('')) });
      break;
    case 'incident':
      for (const { seq } of rows) {
        const text = formatInclusion({ index: seq, proof: tree.inclusionProof(seq), checkpoint: note });
        files.push({ name: inclusionFile(seq), bytes: Buffer.from(text) });
      }
      break;
  }
  if (since !== undefined) {
    const text = formatConsistency({ index: since, proof: tree.consistencyProof(since), checkpoint: note });
    files.push({ name: consistencyFile(since), bytes: Buffer.from(text) });
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
  return noteOf(store.db, checkpoint);
}

async function leavesOf(db: Reader, size: number): Promise<readonly Hash[]> {
  const rows = await db.selectFrom('ledger').select('leaf').where('seq', '<', size).orderBy('seq').execute();
  return rows.map(({ leaf }) => leaf);
}

/** The newest heartbeat goes with an incident: it shows how recent the log is and betrays no other incident. */
async function rowsOf(db: Reader, size: number, incident: string | undefined) {
  const all = db.selectFrom('ledger').selectAll().where('seq', '<', size).orderBy('seq');
  if (incident === undefined) return all.execute();
  const own = await all.where('incident', '=', incident).execute();
  if (own.length === 0) return own;
  const heartbeat = await db
    .selectFrom('ledger')
    .selectAll()
    .where('seq', '<', size)
    .where('type', '=', 'heartbeat')
    .where('incident', 'is', null)
    .orderBy('seq', 'desc')
    .limit(1)
    .execute();
  return [...own, ...heartbeat].toSorted((a, b) => a.seq - b.seq);
}

async function noteOf(db: Reader, { size }: SignedCheckpoint): Promise<string> {
  const { note } = await db.selectFrom('checkpoint').select('note').where('size', '=', size).executeTakeFirstOrThrow();
  return note;
}
