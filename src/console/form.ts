import { z } from 'zod';
import { decide } from '../decisions/approve.ts';
import type { Desk, RefusalCode, Said } from '../decisions/desk.ts';
import { setFrozen } from '../decisions/freeze.ts';
import { answerStep, requestRetry } from '../decisions/help.ts';
import { requestUndo } from '../decisions/undo.ts';

/** Room for a reason; the ledger takes no more than 64 KiB for everything. */
export const MOST_TEXT = 2_000;
const words = z.string().max(MOST_TEXT).default('');
const run = z.string().min(1).max(200);

/** What a form of an incident's page may ask. */
export const incidentForm = z.discriminatedUnion('act', [
  z.object({ act: z.enum(['approve', 'deny']), run, plan: z.string().length(64), text: words }),
  z.object({ act: z.literal('undo'), run, text: words }),
  z.object({ act: z.literal('retry'), run, text: words }),
  z.object({ act: z.literal('answer'), run, step: z.string().min(1).max(200), text: words }),
]);
export type IncidentForm = z.infer<typeof incidentForm>;

export const freezeForm = z.object({ act: z.enum(['freeze', 'thaw']), text: words });

/** Writes down what the person decided. */
export function perform(desk: Desk, form: IncidentForm, authn: string): Promise<Said> {
  const { run, text } = form;
  switch (form.act) {
    case 'approve':
    case 'deny': {
      const why = text.trim();
      return decide(desk, { run, planSha256: form.plan, verdict: form.act, authn, ...(why ? { why } : {}) });
    }
    case 'undo':
      return requestUndo(desk, { run, authn, why: text });
    case 'retry':
      return requestRetry(desk, { run, authn });
    case 'answer':
      return answerStep(desk, { run, step: form.step, answer: text, authn });
  }
}

export const freeze = (desk: Desk, { act, text }: z.infer<typeof freezeForm>, authn: string): Promise<Said> =>
  setFrozen(desk, { frozen: act === 'freeze', authn, why: text });

/** The HTTP status of a refusal. */
export function statusOf(code: RefusalCode): 403 | 404 | 409 | 422 {
  switch (code) {
    case 'nobody':
    case 'not-allowed':
    case 'own-request':
      return 403;
    case 'not-found':
      return 404;
    case 'bad-request':
      return 422;
    case 'stale-plan':
    case 'already':
    case 'not-waiting':
    case 'nothing-to-undo':
    case 'locked':
      return 409;
  }
}
