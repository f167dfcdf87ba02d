import { milliseconds } from '../core/duration.ts';
import type { Store } from '../store/store.ts';

/** Slack's last redelivery comes after about five minutes; https://docs.slack.dev/apis/events-api#retries */
const KEPT = milliseconds('1h');

/**
 * True the first time that `id` is claimed, false for every redelivery. The claim comes before the work, after the click was
 * acknowledged: a crash in between loses a click, which its person sees and repeats; it never does anything twice.
 */
export async function claimDelivery(store: Store, id: string, now: Date): Promise<boolean> {
  return store.transaction(async (tx) => {
    await tx
      .deleteFrom('delivery')
      .where('at_ms', '<', now.getTime() - KEPT)
      .execute();
    const [result] = await tx
      .insertInto('delivery')
      .values({ id: `slack:${id}`, at_ms: now.getTime() })
      .onConflict((conflict) => conflict.column('id').doNothing())
      .execute();
    return (result?.numInsertedOrUpdatedRows ?? 0n) > 0n;
  });
}
