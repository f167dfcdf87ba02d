/** What scenarios in runbooks/drills import, as `#drill`. */

import type { Milestones } from '../core/standing.ts';
import type { IncidentView } from '../incident/view.ts';

export type { IncidentView } from '../incident/view.ts';
export type { Objective, Scenario, Staged, World } from './scenario.ts';

/** Milliseconds from the incident's opening until the last of its runs reached the milestone; undefined while one has not. */
export function milestoneAfter(
  incident: IncidentView,
  milestone: Exclude<keyof Milestones, 'opened'>,
): number | undefined {
  const times = incident.runs.map((run) => run.milestones[milestone]);
  const reached = times.filter((time) => time !== undefined);
  if (reached.length === 0 || reached.length < times.length) return undefined;
  return Math.max(...reached) - Date.parse(incident.openedAt);
}
