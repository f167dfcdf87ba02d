import { z } from 'zod';
import { decide } from '../../decisions/approve.ts';
import type { Said } from '../../decisions/desk.ts';
import { answerStep, requestRetry } from '../../decisions/help.ts';
import { requestUndo } from '../../decisions/undo.ts';
import type { ProblemStatus } from '../problem.ts';
import { incidentIdOf } from '../read.ts';
import { answered, type Call, NONE, type Route, route } from '../route.ts';
import { decisionMade, incidentRef, reason, runId, words } from '../schemas.ts';
import { noSuchIncident } from './incidents.ts';

const params = z.strictObject({ ref: incidentRef, run: runId });
const REFUSALS: readonly ProblemStatus[] = [404, 408, 409, 413, 415, 422];

interface Verb<B> {
  readonly verb: string;
  readonly summary: string;
  readonly body: z.ZodType<B>;
  readonly ifMatch?: true;
  readonly perform: (call: Call, run: string, body: B) => Promise<Said>;
}

/** A decision about one run. It is written as from Slack and from the console, and attributed to the token's person. */
const decision = <B>({ verb, summary, body, ifMatch, perform }: Verb<B>): Route =>
  route({
    method: 'post',
    path: `/incidents/{ref}/runs/{run}/${verb}`,
    id: `${verb}Run`,
    summary,
    params,
    query: NONE,
    body,
    ...(ifMatch ? { ifMatch } : {}),
    status: 200,
    name: 'DecisionMade',
    answer: decisionMade,
    refusals: ifMatch ? [...REFUSALS, 412, 428] : REFUSALS,
    async handle(call, { params: { ref, run }, body }) {
      if (!(await belongs(call, ref, run))) return { problem: noSuchIncident };
      return answered(await perform(call, run, body));
    },
  });

async function belongs({ desk }: Call, ref: string, run: string): Promise<boolean> {
  const row = await desk.store.db.selectFrom('run').select('incident').where('id', '=', run).executeTakeFirst();
  return row !== undefined && row.incident === (await incidentIdOf(desk.store.db, ref));
}

const verdict = (verb: 'approve' | 'deny', summary: string): Route =>
  decision({
    verb,
    summary,
    body: z.strictObject({ why: words.optional() }),
    ifMatch: true,
    perform: ({ desk, authn, ifMatch = '' }, run, { why = '' }) =>
      decide(desk, { run, planSha256: ifMatch, verdict: verb, authn, ...(why.trim() === '' ? {} : { why }) }),
  });

export const decisionRoutes: readonly Route[] = [
  verdict('approve', 'Approve exactly the plan that If-Match names'),
  verdict('deny', 'Deny everything that waits, of exactly the plan that If-Match names'),
  decision({
    verb: 'undo',
    summary: 'Take back every reversible step; the credential may work again',
    body: z.strictObject({ why: reason }),
    perform: ({ desk, authn }, run, { why }) => requestUndo(desk, { run, authn, why }),
  }),
  decision({
    verb: 'retry',
    summary: 'Try again what failed',
    body: NONE,
    perform: ({ desk, authn }, run) => requestRetry(desk, { run, authn }),
  }),
  decision({
    verb: 'answer',
    summary: 'Say what you did about a step that a person does',
    body: z.strictObject({
      step: z
        .string()
        .min(1)
        .max(200)
        .regex(/^[\w./-]+$/),
      answer: reason,
    }),
    perform: ({ desk, authn }, run, { step, answer }) => answerStep(desk, { run, step, answer, authn }),
  }),
];
