import type { Entry } from '../core/entry.ts';
import { entryOf } from '../custody/row.ts';
import { refOf } from '../incident/view.ts';
import type { Reader } from '../store/store.ts';
import { severityOf } from './shape.ts';

/** A part of a list. `next` names the last thing in it; null at the end. */
export interface Page<T> {
  readonly items: T[];
  readonly next: number | null;
}

export interface PageAsked {
  readonly limit: number;
  /** What the page before ended with. */
  readonly after: number | null;
}

/** Incidents, the newest first. A new one never shifts the pages that follow. */
export async function incidentPageOf(
  db: Reader,
  { limit, after, state }: PageAsked & { readonly state: 'open' | 'closed' | 'all' },
) {
  let query = db
    .selectFrom('incident')
    .selectAll()
    .orderBy('number', 'desc')
    .limit(limit + 1);
  if (state !== 'all') query = query.where('state', '=', state);
  if (after !== null) query = query.where('number', '<', after);
  const rows = await query.execute();
  const shown = rows.slice(0, limit);
  const ids = shown.map(({ id }) => id);
  const runs =
    ids.length === 0
      ? []
      : await db.selectFrom('run').select(['incident', 'status']).where('incident', 'in', ids).execute();
  const byIncident = Map.groupBy(runs, ({ incident }) => incident);
  const items = shown.map((row) => ({
    id: row.id,
    ref: refOf(row.number),
    title: row.title,
    severity: severityOf(row.severity),
    state: row.state,
    openedAt: row.opened_at,
    closedAt: row.closed_at,
    revision: row.revision,
    standings: (byIncident.get(row.id) ?? []).map(({ status }) => status),
  }));
  return { items, next: rows.length > limit ? (shown.at(-1)?.number ?? null) : null };
}

/** The id of the incident called `name` (`INC-12`, `12` or its id); null when there is none. Cheaper than reading all of it. */
export async function incidentIdOf(db: Reader, name: string): Promise<string | null> {
  const number = /^(?:inc-)?(\d{1,9})$/i.exec(name)?.[1];
  const row = await db
    .selectFrom('incident')
    .select('id')
    .where(number ? 'number' : 'id', '=', number ? Number(number) : name)
    .executeTakeFirst();
  return row?.id ?? null;
}

/** The entries of an incident, in order. Throws when one was changed behind the ledger's back. */
export async function entryPageOf(db: Reader, incident: string, { limit, after }: PageAsked): Promise<Page<Entry>> {
  const rows = await db
    .selectFrom('ledger')
    .selectAll()
    .where('incident', '=', incident)
    .where('seq', '>', after ?? -1)
    .orderBy('seq')
    .limit(limit + 1)
    .execute();
  const items = rows.slice(0, limit).map(entryOf);
  return { items, next: rows.length > limit ? (items.at(-1)?.seq ?? null) : null };
}
