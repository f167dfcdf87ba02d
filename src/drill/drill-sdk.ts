/** What scenarios in runbooks/drills import, as `#drill`. */

import { createHmac } from 'node:crypto';
import type { JsonObject } from '../core/json.ts';
import type { Phase } from '../core/plan.ts';
import type { Milestones } from '../core/standing.ts';
import type { IncidentView } from '../incident/view.ts';
import type { Delivery, World } from './scenario.ts';

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

/** Whether a person approved `phase` before the first change of `step` was begun; false when it never was. */
export function approvedBefore({ entries }: IncidentView, phase: Phase, step: string): boolean {
  const approval = entries.find(
    (entry) => entry.type === 'approval' && entry.verdict === 'approve' && entry.phases.includes(phase),
  );
  const intent = entries.find((entry) => entry.type === 'intent' && entry.step === step);
  return approval !== undefined && intent !== undefined && approval.seq < intent.seq;
}

/** Whether a person said that they did the guided step. */
export const answered = ({ entries }: IncidentView, step: string): boolean =>
  entries.some(
    (entry) => entry.type === 'decision' && entry.decision.is === 'answered' && entry.decision.step === step,
  );

/** The delivery of an alert in our own format (src/ingest/sources/generic.ts), signed now. */
export function genericAlert({ webhookSecret, now }: World, alert: JsonObject): Delivery {
  const body = JSON.stringify(alert);
  const timestamp = String(Math.floor(now().getTime() / 1_000));
  const signature = createHmac('sha256', webhookSecret).update(`${timestamp}.${body}`).digest('hex');
  const headers = { 'x-tourniquet-timestamp': timestamp, 'x-tourniquet-signature': `v1=${signature}` };
  return { path: '/webhooks/generic', headers: { 'content-type': 'application/json', ...headers }, body };
}
