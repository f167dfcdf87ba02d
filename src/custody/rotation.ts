import { sql } from 'kysely';
import type { Actor, EntryDraft } from '../core/entry.ts';
import type { Store } from '../store/store.ts';
import { openCheckpoint } from './checkpoint.ts';
import type { Ledger } from './ledger.ts';
import { parseVkey, signatureLine } from './note.ts';
import { keysAfter, type Rotation, rotationMessage } from './rotations.ts';
import { entryOf } from './row.ts';
import type { Signer } from './signer.ts';
import { StoreTampered } from './state.ts';

/** The entry by which the log's key changes, signed by both keys. Throws when the keys are of different logs, or the same. */
export function rotationEntry(from: Signer, to: Signer, actor: Actor, why?: string): EntryDraft {
  if (from.name !== to.name) throw new Error(`A key of ${to.name} cannot follow one of ${from.name}`);
  if (from.vkey === to.vkey) throw new Error('The new key is the old one');
  const message = rotationMessage(from.name, from.vkey, to.vkey);
  const signatures = [from, to].map((signer) => Buffer.from(signer.sign(message)).toString('base64'));
  return { type: 'key.rotate', actor, from: from.vkey, to: to.vkey, signatures, ...(why === undefined ? {} : { why }) };
}

/**
 * Changes the log's key: appends the entry under the old one, and signs the checkpoint that holds it with the new one too, so
 * that a ledger opened with either key finds its head signed. Nobody else may append meanwhile. Run again after a crash, it
 * finishes what was begun.
 */
export async function rotateKey(
  { ledger, store }: { readonly ledger: Ledger; readonly store: Store },
  {
    from,
    to,
    actor,
    why,
  }: { readonly from: Signer; readonly to: Signer; readonly actor: Actor; readonly why?: string },
): Promise<void> {
  const draft = rotationEntry(from, to, actor, why);
  const last = (await rotationsIn(store)).at(-1);
  if (last?.to !== to.vkey) await ledger.commit(async (_tx, append) => append(draft));
  await store.transaction(async (tx) => {
    const row = await tx
      .selectFrom('checkpoint')
      .selectAll()
      .orderBy('size', 'desc')
      .limit(1)
      .executeTakeFirstOrThrow();
    const { note } = openCheckpoint(Buffer.from(row.note), parseVkey(from.vkey));
    const key = parseVkey(to.vkey);
    if (note.signatures.some(({ name, hash }) => name === key.name && hash === key.hash)) return;
    const signed = row.note + signatureLine(key, to.sign(Buffer.from(note.text)));
    await tx.updateTable('checkpoint').set({ note: signed }).where('size', '=', row.size).execute();
  });
}

/** The rotations of the log, in order. Throws StoreTampered when one is not as the ledger writes them. */
export async function rotationsIn({ db }: Pick<Store, 'db'>): Promise<readonly Rotation[]> {
  const rows = await db
    .selectFrom('ledger')
    .selectAll()
    .where('type', '=', sql.lit('key.rotate'))
    .orderBy('seq')
    .execute();
  const rotations = rows.map(entryOf).filter((entry) => entry.type === 'key.rotate');
  const [first] = rotations;
  if (first) {
    try {
      keysAfter(parseVkey(first.from), rotations);
    } catch (error) {
      throw new StoreTampered(
        `The changes of the log's key do not follow each other (${error instanceof Error ? error.message : String(error)})`,
      );
    }
  }
  return rotations;
}
