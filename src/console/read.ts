import type { Entry } from '../core/entry.ts';
import { entryOf } from '../custody/row.ts';
import { type IncidentLine, type IncidentView, listIncidents } from '../incident/view.ts';
import type { Reader } from '../store/store.ts';
import { LEDGER_SHOWN, type Leaf } from './pages/ledger.ts';

const CLOSED_SHOWN = 100;
const OPEN_SHOWN = 500;

/** Every open incident, and the newest closed ones. */
export async function readLines(db: Reader): Promise<readonly IncidentLine[]> {
  const open = await listIncidents(db, { limit: OPEN_SHOWN, open: true });
  const recent = await listIncidents(db, { limit: CLOSED_SHOWN, open: false });
  return [...open, ...recent.filter(({ state }) => state === 'closed')];
}

/** The entries of the incident with their leaf hashes. */
export async function leavesOf(db: Reader, { id, entries }: IncidentView): Promise<readonly Leaf[]> {
  const rows = await db.selectFrom('ledger').select(['seq', 'leaf']).where('incident', '=', id).execute();
  const leaves = new Map(rows.map(({ seq, leaf }) => [seq, leaf]));
  return entries.flatMap((entry) => {
    const leaf = leaves.get(entry.seq);
    return leaf === undefined ? [] : [{ entry, leaf }];
  });
}

/** The newest entries of the log, newest first. Throws when one was changed behind the ledger's back. */
export async function newestLeaves(db: Reader): Promise<readonly Leaf[]> {
  const rows = await db.selectFrom('ledger').selectAll().orderBy('seq', 'desc').limit(LEDGER_SHOWN).execute();
  return rows.map((row) => ({ entry: entryOf(row), leaf: row.leaf }));
}

/** Frozen and thawed belong to no incident and change every page. */
export const isSwitch = (entry: Entry): boolean =>
  entry.type === 'decision' && (entry.decision.is === 'frozen' || entry.decision.is === 'thawed');
