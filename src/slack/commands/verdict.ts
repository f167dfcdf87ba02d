import { decide } from '../../decisions/approve.ts';
import { card } from '../card.ts';
import type { Context } from '../interaction.ts';
import { type Message, tell } from '../text.ts';
import { firstWord } from './command.ts';
import { findIncident } from './find.ts';
import { forEachRun } from './runs.ts';

/** Enough of a SHA-256 that no one hits another plan by mistake. */
const PLAN = /^[0-9a-f]{8,64}$/i;

/**
 * A typed verdict binds to a plan as a click does: `INC-12 3fa9c1d2b0aa` names the plan that the card shows. Without it the person is
 * shown the plan as it is now, with the buttons that name it.
 */
export async function verdictOn(
  verdict: 'approve' | 'deny',
  text: string,
  authn: string,
  context: Context,
): Promise<Message> {
  const [name, rest] = firstWord(text);
  const found = await findIncident(context, name, authn, `/tq ${verdict} INC-12`);
  if ('refused' in found) return found.refused;
  const { view } = found;
  const waiting = view.runs.filter((run) => run.standing === 'waiting-approval');
  if (waiting.length === 0) return tell(`${view.ref} waits for no approval: it may have been decided already.`);
  const [plan] = firstWord(rest);
  if (plan === '') return card({ ...view, runs: waiting }, context.pageOf);
  if (!PLAN.test(plan)) return tell(`Name the plan as the card does: /tq ${verdict} ${view.ref} 3fa9c1d2b0aa`);
  return forEachRun(
    waiting.filter((run) => run.planSha256?.startsWith(plan.toLowerCase())),
    `No plan of ${view.ref} that waits for a verdict is called that: it has changed, or it was decided. “/tq show ${view.ref}” shows it as it is now.`,
    (run) => decide(context.desk, { run: run.id, planSha256: run.planSha256 ?? '', verdict, authn }),
  );
}
