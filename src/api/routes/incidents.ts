import { z } from 'zod';
import { readIncident } from '../../incident/view.ts';
import type { Problem } from '../problem.ts';
import { cursor, cursorOf, positionOf, wholeNumber } from '../query.ts';
import { entryPageOf, incidentIdOf, incidentPageOf } from '../read.ts';
import { NONE, type Route, route } from '../route.ts';
import { entryPage, incidentPage, incidentRef, incidentSchema } from '../schemas.ts';
import { incidentShape } from '../shape.ts';

export const noSuchIncident: Problem = { status: 404, detail: 'There is no such incident.' };
const params = z.strictObject({ ref: incidentRef });

/** What happened and how it stands. */
export const incidentRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/incidents',
    id: 'listIncidents',
    summary: 'Incidents, the newest first',
    params: NONE,
    query: z.strictObject({
      state: z.enum(['open', 'closed', 'all']).default('all'),
      limit: wholeNumber(200, 50),
      cursor,
    }),
    status: 200,
    name: 'IncidentPage',
    answer: incidentPage,
    refusals: [],
    async handle({ desk }, { query: { state, limit, cursor } }) {
      const { items, next } = await incidentPageOf(desk.store.db, { state, limit, after: positionOf(cursor) });
      return { body: { items, next: cursorOf(next) } };
    },
  }),
  route({
    method: 'get',
    path: '/incidents/{ref}',
    id: 'getIncident',
    summary: 'One incident: its findings, its runs, their plans, and what waits for whom',
    params,
    query: NONE,
    status: 200,
    name: 'Incident',
    answer: incidentSchema,
    refusals: [404],
    async handle({ desk, now }, { params: { ref } }) {
      const incident = await readIncident(desk.store.db, ref, now);
      return incident ? { body: incidentShape(incident) } : { problem: noSuchIncident };
    },
  }),
  route({
    method: 'get',
    path: '/incidents/{ref}/entries',
    id: 'listEntries',
    summary: 'What the custody log says of an incident, in order',
    params,
    query: z.strictObject({ limit: wholeNumber(500, 100), cursor }),
    status: 200,
    name: 'EntryPage',
    answer: entryPage,
    refusals: [404],
    async handle({ desk }, { params: { ref }, query: { limit, cursor } }) {
      const incident = await incidentIdOf(desk.store.db, ref);
      if (incident === null) return { problem: noSuchIncident };
      const { items, next } = await entryPageOf(desk.store.db, incident, { limit, after: positionOf(cursor) });
      return { body: { items: items.map((each) => ({ ...each })), next: cursorOf(next) } };
    },
  }),
];
