import type { Action, Switches } from '../core/action.ts';
import type { Decision, Entry } from '../core/entry.ts';
import { fold, type RunState, type StepState } from '../core/journal.ts';
import { next } from '../core/next.ts';
import type { ApprovalRule, Phase, PlannedStep } from '../core/plan.ts';
import { type Milestones, milestonesOf, type Standing, standingOf } from '../core/standing.ts';
import { undoable } from '../core/undoing.ts';
import { readEntries } from '../custody/read.ts';
import { entryOf } from '../custody/row.ts';
import { readSwitches } from '../store/settings.ts';
import type { Reader } from '../store/store.ts';

/** One incident as people see it, whatever shows it: a rendering source for card, page, terminal and report. */
export interface IncidentView {
  readonly id: string;
  /** Sayable: `INC-12`. */
  readonly ref: string;
  readonly title: string;
  readonly severity: string;
  readonly state: 'open' | 'closed';
  readonly openedAt: string;
  readonly closedAt: string | null;
  /** Grows with every change; a rendering of a lower one is out of date. */
  readonly revision: number;
  readonly findings: readonly (Extract<Decision, { is: 'finding' }> & { readonly at: string })[];
  readonly runs: readonly RunView[];
  readonly entries: readonly Entry[];
}

export interface RunView {
  readonly id: string;
  readonly state: RunState;
  readonly action: Action;
  readonly standing: Standing;
  readonly milestones: Milestones;
  readonly phases: readonly PhaseView[];
  /** Of the plan that people approve; absent until there is one. */
  readonly planSha256?: string;
  /** What an undo would take back, last first, by title. */
  readonly undoable: readonly string[];
}

export interface PhaseView {
  readonly phase: Phase;
  readonly approval: ApprovalRule;
  readonly steps: readonly { readonly step: PlannedStep; readonly state: StepState | undefined }[];
}

/** A run's journal, seen at `now`. Null when the entries open no run. Pure. */
export function runView(id: string, entries: readonly Entry[], now: Date, switches: Switches): RunView | null {
  const state = fold(entries);
  if (!state) return null;
  const action = next(state, now.getTime(), switches);
  const planned = [...(state.assess?.plan.phases ?? []), ...(state.response?.plan.phases ?? [])];
  return {
    id,
    state,
    action,
    standing: standingOf(state, action),
    milestones: milestonesOf(state),
    phases: planned.map(({ phase, approval, steps }) => ({
      phase,
      approval,
      steps: steps.map((step) => ({ step, state: state.steps.get(step.id) })),
    })),
    ...(state.response ? { planSha256: state.response.sha256 } : {}),
    undoable: undoable(state).map((step) => step.title),
  };
}

/** The incident called `name`: its id, `INC-12`, or `12`. Null when there is none. */
export async function readIncident(db: Reader, name: string, now: Date): Promise<IncidentView | null> {
  const number = /^(?:inc-)?(\d{1,9})$/i.exec(name.trim())?.[1];
  const row = await db
    .selectFrom('incident')
    .selectAll()
    .where(number ? 'number' : 'id', '=', number ? Number(number) : name)
    .executeTakeFirst();
  if (!row) return null;
  const entries = await readEntries(db, 'incident', row.id);
  const switches = await readSwitches(db);
  const runs = Map.groupBy(entries, (entry) => entry.run ?? '');
  return {
    id: row.id,
    ref: refOf(row.number),
    title: row.title,
    severity: row.severity,
    state: row.state,
    openedAt: row.opened_at,
    closedAt: row.closed_at,
    revision: row.revision,
    findings: entries.flatMap((entry) =>
      entry.type === 'decision' && entry.decision.is === 'finding' ? [{ ...entry.decision, at: entry.time.utc }] : [],
    ),
    runs: [...runs].flatMap(([id, journal]) => (id === '' ? [] : (runView(id, journal, now, switches) ?? []))),
    entries,
  };
}

/** The plans of the runs that are under way. */
export async function readOpenPlans(db: Reader): Promise<readonly Entry[]> {
  const open = db.selectFrom('run').select('id').where('state', '=', 'open');
  const rows = db.selectFrom('ledger').selectAll().where('type', '=', 'plan').where('run', 'in', open);
  return (await rows.orderBy('seq').execute()).map(entryOf);
}

/** One line of a list of incidents. */
export interface IncidentLine {
  readonly id: string;
  readonly ref: string;
  readonly title: string;
  readonly severity: string;
  readonly state: 'open' | 'closed';
  readonly openedAt: string;
  readonly standings: readonly string[];
}

/** The newest incidents first, at most `limit`; only open ones when asked. */
export async function listIncidents(
  db: Reader,
  { limit, open }: { readonly limit: number; readonly open: boolean },
): Promise<readonly IncidentLine[]> {
  let query = db.selectFrom('incident').selectAll().orderBy('number', 'desc').limit(limit);
  if (open) query = query.where('state', '=', 'open');
  const rows = await query.execute();
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const runs = await db.selectFrom('run').select(['incident', 'status']).where('incident', 'in', ids).execute();
  const byIncident = Map.groupBy(runs, (run) => run.incident);
  return rows.map((row) => ({
    id: row.id,
    ref: refOf(row.number),
    title: row.title,
    severity: row.severity,
    state: row.state,
    openedAt: row.opened_at,
    standings: (byIncident.get(row.id) ?? []).map((run) => run.status),
  }));
}

export const refOf = (number: number): string => `INC-${number}`;
