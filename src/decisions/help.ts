import { next } from '../core/next.ts';
import { touch, wake } from '../incident/rows.ts';
import { actorOf } from '../policy/policy.ts';
import { readSwitches } from '../store/settings.ts';
import { type Desk, personFor, refuse, type Said } from './desk.ts';
import { findRun } from './run.ts';

/** Asks the engine to try again what failed; what is in doubt is asked of the provider first. */
export async function requestRetry(
  desk: Desk,
  { run, authn }: { readonly run: string; readonly authn: string },
): Promise<Said> {
  const known = personFor(desk, authn, 'retry');
  if ('refused' in known) return known.refused;
  return desk.ledger.commit(async (tx, append) => {
    const found = await findRun(tx, run);
    if (!found) return refuse('not-found', 'There is no such run. Open the incident again for its current state.');
    const { row, ref, state } = found;
    const now = desk.clock.now();
    const action = next(state, now.getTime(), await readSwitches(tx));
    if (action.do !== 'await' || action.what.need !== 'help') {
      return refuse('not-waiting', `${ref} is not stuck; there is nothing to try again.`);
    }
    append({
      type: 'decision',
      actor: actorOf(known.person, authn),
      incident: row.incident,
      run,
      decision: { is: 'retry-requested' },
    });
    await wake(tx, run, now);
    await touch(tx, row.incident);
    return { ok: true, said: `Trying ${ref} again.`, incident: row.incident };
  });
}

export interface Answer {
  readonly run: string;
  readonly step: string;
  readonly answer: string;
  readonly authn: string;
}

/** Records that a person did a guided step, and what they answered. */
export async function answerStep(desk: Desk, { run, step, answer, authn }: Answer): Promise<Said> {
  const known = personFor(desk, authn, 'answer');
  if ('refused' in known) return known.refused;
  if (answer.trim() === '') return refuse('bad-request', 'Say what you did; the answer goes on record.');
  return desk.ledger.commit(async (tx, append) => {
    const found = await findRun(tx, run);
    if (!found) return refuse('not-found', 'There is no such run. Open the incident again for its current state.');
    const { row, ref, state } = found;
    const now = desk.clock.now();
    const action = next(state, now.getTime(), await readSwitches(tx));
    if (action.do !== 'await' || action.what.need !== 'answer' || action.what.step !== step) {
      return refuse('not-waiting', `${ref} does not wait for that step: it may have been answered already.`);
    }
    append({
      type: 'decision',
      actor: actorOf(known.person, authn),
      incident: row.incident,
      run,
      decision: { is: 'answered', step, answer },
    });
    await wake(tx, run, now);
    await touch(tx, row.incident);
    return { ok: true, said: `Noted. ${ref} goes on.`, incident: row.incident };
  });
}
