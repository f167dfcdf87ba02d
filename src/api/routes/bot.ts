import { z } from 'zod';
import { setFrozen } from '../../decisions/freeze.ts';
import { requestRevocation } from '../../decisions/revoke.ts';
import { readSwitches } from '../../store/settings.ts';
import { metricsOf } from '../metrics.ts';
import { wholeNumber } from '../query.ts';
import { answered, NONE, type Route, route } from '../route.ts';
import { decisionMade, freezeState, headSchema, metricsSchema, peopleSchema, reason, words } from '../schemas.ts';

/** What concerns the bot as a whole. */
export const botRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/revocations',
    id: 'requestRevocation',
    summary: 'Ask for a credential to be contained now, then replaced and retired as policy allows',
    params: NONE,
    query: NONE,
    body: z.strictObject({
      credential: z
        .string()
        .min(1)
        .max(8_192)
        .refine((text) => text.isWellFormed(), 'must be well-formed Unicode')
        .describe(
          'An AWS key id, a token, owner/repo#alert, or kind:id. A secret is sealed on arrival and never shown.',
        ),
      why: words.default(''),
    }),
    status: 202,
    name: 'DecisionMade',
    answer: decisionMade,
    refusals: [408, 413, 415, 422],
    handle: async ({ desk, authn, arrivals }, { body: { credential, why } }) =>
      answered(await requestRevocation(desk, arrivals, { text: credential, why, authn })),
  }),
  route({
    method: 'get',
    path: '/freeze',
    id: 'getFreeze',
    summary: 'Whether everything that changes anything at a provider is stopped',
    params: NONE,
    query: NONE,
    status: 200,
    name: 'Freeze',
    answer: freezeState,
    refusals: [],
    handle: async ({ desk }) => ({ body: { frozen: (await readSwitches(desk.store.db)).frozen } }),
  }),
  route({
    method: 'put',
    path: '/freeze',
    id: 'setFreeze',
    summary: 'Stop everything that changes anything at a provider, or let it go on',
    params: NONE,
    query: NONE,
    body: z.strictObject({ frozen: z.boolean(), why: reason }),
    status: 200,
    name: 'Freeze',
    answer: freezeState,
    refusals: [408, 413, 415, 422],
    async handle({ desk, authn }, { body: { frozen, why } }) {
      const said = await setFrozen(desk, { frozen, why, authn });
      if (said.ok || said.code === 'already') return { body: { frozen } }; // PUT again is PUT (RFC 9110, §9.2.2)
      const outcome = answered(said);
      return 'problem' in outcome ? outcome : { body: { frozen } };
    },
  }),
  route({
    method: 'get',
    path: '/ledger/head',
    id: 'getLedgerHead',
    summary: 'How long the custody log is, and its root hash',
    params: NONE,
    query: NONE,
    status: 200,
    name: 'LedgerHead',
    answer: headSchema,
    refusals: [],
    handle: async ({ desk }) => ({ body: { ...(await desk.ledger.head()) } }),
  }),
  route({
    method: 'get',
    path: '/people',
    id: 'listPeople',
    summary: 'Who may decide: names and roles, nothing else',
    params: NONE,
    query: NONE,
    status: 200,
    name: 'People',
    answer: peopleSchema,
    refusals: [],
    handle: async ({ desk }) => ({
      body: { items: desk.roster.people.map(({ id, name, roles }) => ({ id, name, roles: [...roles] })) },
    }),
  }),
  route({
    method: 'get',
    path: '/metrics',
    id: 'getMetrics',
    summary: 'How fast the newest incidents were dealt with',
    params: NONE,
    query: z.strictObject({ last: wholeNumber(200, 50) }),
    status: 200,
    name: 'Metrics',
    answer: metricsSchema,
    refusals: [],
    handle: async ({ desk, now }, { query: { last } }) => ({ body: await metricsOf(desk.store.db, last, now) }),
  }),
];
