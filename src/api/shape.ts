import type { z } from 'zod';
import type { Action } from '../core/action.ts';
import type { IncidentView, RunView } from '../incident/view.ts';
import { standingWords } from '../incident/words/standing.ts';
import type { incidentSchema } from './schemas.ts';

type Shape = z.infer<typeof incidentSchema>;
type RunShape = Shape['runs'][number];

/** An incident as the API gives it. Inputs of steps and the journal stay out: the entries have them. */
export const incidentShape = (incident: IncidentView): Shape => ({
  id: incident.id,
  ref: incident.ref,
  title: incident.title,
  severity: severityOf(incident.severity),
  state: incident.state,
  openedAt: incident.openedAt,
  closedAt: incident.closedAt,
  revision: incident.revision,
  standings: incident.runs.map(({ standing }) => standing),
  findings: incident.findings.map(({ source, title, severity, exposure, locations, at, verdict, because }) => ({
    source,
    title,
    severity,
    exposure,
    locations: locations.map(({ label, url }) => ({ label, ...(url === undefined ? {} : { url }) })),
    at,
    verdict,
    because,
  })),
  runs: incident.runs.map(runShape),
});

const runShape = (run: RunView): RunShape => {
  const { credential, runbook, requestedBy } = run.state.opened;
  const { opened, contained, rotated, retired } = run.milestones;
  return {
    id: run.id,
    standing: run.standing,
    words: standingWords(run),
    credential: { kind: credential.kind, id: credential.id },
    runbook,
    requestedBy: requestedBy ?? null,
    planSha256: run.planSha256 ?? null,
    waitsFor: waitsFor(run.action),
    milestones: {
      opened: iso(opened),
      contained: orNull(contained),
      rotated: orNull(rotated),
      retired: orNull(retired),
    },
    undoable: [...run.undoable],
    phases: run.phases.map(({ phase, approval: { people, roles, because }, steps }) => ({
      phase,
      approval: { people, roles: [...roles], because },
      steps: steps.map(({ step, state }) => ({
        id: step.id,
        title: step.title,
        kind: step.kind,
        ...(step.kind === 'call' ? { effect: step.effect } : {}),
        state: state?.is ?? 'not-begun',
      })),
    })),
  };
};

function waitsFor(action: Action): RunShape['waitsFor'] {
  if (action.do !== 'await') return null;
  const { what } = action;
  switch (what.need) {
    case 'approval': {
      const { need, people, roles, phases, because } = what;
      return { need, people, roles: [...roles], phases: [...phases], because };
    }
    case 'answer':
      return { need: what.need, steps: [what.step] };
    case 'help':
      return { need: what.need, phases: [what.phase], steps: [...what.steps] };
    case 'thaw':
      return { need: what.need };
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();
const orNull = (ms: number | undefined): string | null => (ms === undefined ? null : iso(ms));

/** The table's column holds any text; only these four are ever written to it. */
export function severityOf(text: string): Shape['severity'] {
  switch (text) {
    case 'critical':
    case 'high':
    case 'medium':
    case 'low':
      return text;
    default:
      throw new Error(`An incident has the severity "${text}", which there is not.`);
  }
}
