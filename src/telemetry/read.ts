import type { Ledger } from '../custody/ledger.ts';
import { type Brake, isBraked } from '../engine/brake.ts';
import type { Inbox } from '../ingest/inbox.ts';
import type { Gate } from '../providers/gate.ts';
import { readSwitches } from '../store/settings.ts';
import type { Store } from '../store/store.ts';
import type { Reading } from './metrics.ts';
import { createTally, type Tally } from './tally.ts';

/** The parts of a running bot that its metrics are read from. */
export interface Watched {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly inbox: Inbox;
  readonly gate: Gate;
  readonly brake: Brake;
  readonly beats: () => Reading['beats'];
  readonly now: () => Date;
}

/** One reading of everything. Rejects when the database cannot be read. */
export async function readMetrics({ store, ledger, inbox, gate, brake, beats, now }: Watched): Promise<Reading> {
  const runs = await store.db
    .selectFrom('run')
    .select((run) => ['status', run.fn.countAll<number | string>().as('count')])
    .where('state', '=', 'open')
    .groupBy('status')
    .execute();
  const { frozen } = await readSwitches(store.db);
  return {
    received: inbox.received(),
    backlog: await inbox.backlog(),
    runs: runs.map(({ status, count }) => ({ status, count: Number(count) })),
    gate: gate.view(now()),
    head: await ledger.head(),
    frozen,
    braked: await isBraked(store.db, brake, now()),
    beats: beats(),
  };
}

/** Counts from now on what the ledger tells. */
export function tallyOf({ store, ledger }: Pick<Watched, 'store' | 'ledger'>): Tally {
  const tally = createTally(async (run) => {
    const row = await store.db.selectFrom('run').select('opened_at').where('id', '=', run).executeTakeFirst();
    return row?.opened_at ?? null;
  });
  ledger.onAppend((entries) => tally.hear(entries));
  return tally;
}
