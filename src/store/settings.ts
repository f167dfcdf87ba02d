import type { Switches } from '../core/action.ts';
import type { Reader, Tx } from './store.ts';

/** The switches that people set at run time. */
export async function readSwitches(db: Reader): Promise<Switches> {
  const row = await db.selectFrom('setting').select('value').where('key', '=', 'frozen').executeTakeFirst();
  return { frozen: row?.value === 'yes' };
}

export async function writeFrozen(tx: Tx, frozen: boolean): Promise<void> {
  const value = frozen ? 'yes' : 'no';
  await tx
    .insertInto('setting')
    .values({ key: 'frozen', value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute();
}
