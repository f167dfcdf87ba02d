import type { Clock } from '../core/clock.ts';
import type { Store } from './store.ts';

/** A silent leader is succeeded after this long. */
export const LEADER_MS = 10_000;
const RENEW_MS = 3_000;

/** One office that one process holds at a time. */
export interface Leadership {
  /**
   * Does `work` when this process leads, and keeps leading meanwhile and for `LEADER_MS` after; resolves with null, having done
   * nothing, while another leads.
   */
  lead<T>(work: () => Promise<T>): Promise<{ readonly did: T } | null>;
  /** Lets another lead at once. */
  resign(): Promise<void>;
}

/**
 * The office `name`, for the process `owner`. It spares the world a second card, not a second revocation: a leader that was
 * stopped may finish a sentence after another took over. What must never happen twice stands behind a run's fencing epoch.
 */
export function onlyOne(store: Store, name: string, owner: string, clock: Clock): Leadership {
  async function take(): Promise<boolean> {
    const now = clock.now().getTime();
    const until_ms = now + LEADER_MS;
    return store.transaction(async (tx) => {
      const taken = await tx
        .insertInto('leader')
        .values({ name, owner, until_ms })
        .onConflict((conflict) =>
          conflict
            .column('name')
            .doUpdateSet({ owner, until_ms })
            .where((row) => row.or([row('leader.owner', '=', owner), row('leader.until_ms', '<=', now)])),
        )
        .returning('owner')
        .executeTakeFirst();
      return taken !== undefined;
    });
  }

  return {
    async lead(work) {
      if (!(await take())) return null;
      // While the database is away nobody else can take over either; the next `lead` finds out.
      const renewing = setInterval(() => void take().catch(() => {}), RENEW_MS);
      try {
        return { did: await work() };
      } finally {
        clearInterval(renewing);
      }
    },
    async resign() {
      await store.transaction((tx) =>
        tx.deleteFrom('leader').where('name', '=', name).where('owner', '=', owner).execute(),
      );
    },
  };
}
