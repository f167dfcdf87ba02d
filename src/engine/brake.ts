import type { Reader, Tx } from '../store/store.ts';

/** At most `most` containments that nobody asked for within `windowMs`; beyond it people decide. */
export interface Brake {
  readonly most: number;
  readonly windowMs: number;
}

const KEY = 'brake';

async function recent(db: Reader, brake: Brake, now: Date): Promise<number[]> {
  const row = await db.selectFrom('setting').select('value').where('key', '=', KEY).executeTakeFirst();
  const times = (row?.value ?? '').split(',').filter(Boolean).map(Number);
  return times.filter((at) => at > now.getTime() - brake.windowMs);
}

export const isBraked = async (db: Reader, brake: Brake, now: Date): Promise<boolean> =>
  (await recent(db, brake, now)).length >= brake.most;

/** Counts one containment by the bot alone, in the transaction that begins it. False, counting nothing, when the brake is closed. */
export async function countAgainst(tx: Tx, brake: Brake, now: Date): Promise<boolean> {
  const times = await recent(tx, brake, now);
  if (times.length >= brake.most) return false;
  const value = [...times, now.getTime()].join(',');
  await tx
    .insertInto('setting')
    .values({ key: KEY, value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute();
  return true;
}
