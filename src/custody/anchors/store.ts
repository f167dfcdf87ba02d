import type { AnchorTable } from '../../store/schema.ts';
import type { Reader, Store } from '../../store/store.ts';

/** What was said outside of the checkpoint of `size`, in the order of names. */
export const anchorsOf = (db: Reader, size: number): Promise<readonly AnchorTable[]> =>
  db.selectFrom('anchor').selectAll().where('size', '=', size).orderBy('kind').orderBy('name').execute();

/** Keeps an anchor; the first one of its kind and name for a checkpoint stays. */
export async function keepAnchor(store: Store, anchor: AnchorTable): Promise<void> {
  await store.transaction(async (tx) => {
    await tx
      .insertInto('anchor')
      .values(anchor)
      .onConflict((conflict) => conflict.columns(['size', 'kind', 'name']).doNothing())
      .execute();
  });
}

/** The size of the largest checkpoint that `name` anchored; 0 when there is none. */
export async function largestBy(db: Reader, kind: AnchorTable['kind'], name: string): Promise<number> {
  const row = await db
    .selectFrom('anchor')
    .select('size')
    .where('kind', '=', kind)
    .where('name', '=', name)
    .orderBy('size', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.size ?? 0;
}

/** The checkpoint of `size` as a signed note, with the cosignatures that are kept for it. Throws when there is none. */
export async function cosignedNote(db: Reader, size: number): Promise<string> {
  const { note } = await db.selectFrom('checkpoint').select('note').where('size', '=', size).executeTakeFirstOrThrow();
  const lines = (await anchorsOf(db, size)).filter(({ kind }) => kind === 'cosignature');
  return note + lines.map(({ bytes }) => bytes.toString('utf8')).join('');
}
