import { type IncidentView, readIncident } from '../incident/view.ts';
import { standingWords } from '../incident/words/standing.ts';
import { type Spread, spreadOf } from '../report/spread.ts';
import { momentsOf, spansOf } from '../report/times.ts';
import type { Reader } from '../store/store.ts';

/** What happened between two moments, as data: whoever tells it chooses the words. */
export interface Digest {
  readonly from: string;
  readonly to: string;
  /** Opened in this time. */
  readonly opened: readonly DigestLine[];
  readonly closed: number;
  /** Still open at the end, whenever they were opened, the oldest first. */
  readonly open: readonly DigestLine[];
  /** Of those opened in this time. */
  readonly mttc: Spread | null;
  readonly mttr: Spread | null;
  readonly undone: number;
}

export interface DigestLine {
  readonly ref: string;
  readonly title: string;
  readonly severity: string;
  /** How its runs stand, in words. */
  readonly standings: readonly string[];
}

/** Reads the digest of `from` (included) to `to` (excluded), as things stand now. */
export async function digestOf(db: Reader, { from, to }: { readonly from: Date; readonly to: Date }): Promise<Digest> {
  const [since, until] = [from.toISOString(), to.toISOString()];
  const rows = await db
    .selectFrom('incident')
    .select(['id', 'opened_at', 'closed_at'])
    .where('opened_at', '<', until)
    .where((row) => row.or([row('closed_at', 'is', null), row('closed_at', '>=', since)]))
    .orderBy('number')
    .execute();
  const views: IncidentView[] = [];
  for (const { id } of rows) {
    const view = await readIncident(db, id, to);
    if (view) views.push(view);
  }
  const opened = views.filter(({ openedAt }) => openedAt >= since);
  const spans = opened.map((incident) => spansOf(momentsOf(incident, to)));
  const closedIn = ({ closedAt }: IncidentView): boolean => closedAt !== null && closedAt < until;
  return {
    from: since,
    to: until,
    opened: opened.map(lineOf),
    closed: views.filter(closedIn).length,
    open: views.filter((incident) => !closedIn(incident)).map(lineOf),
    mttc: spreadOf(spans.map(({ mttc }) => mttc)),
    mttr: spreadOf(spans.map(({ mttr }) => mttr)),
    undone: opened.filter(({ runs }) => runs.some(({ state }) => state.undo !== undefined)).length,
  };
}

const lineOf = ({ ref, title, severity, runs }: IncidentView): DigestLine => ({
  ref,
  title,
  severity,
  standings: runs.map(standingWords),
});
