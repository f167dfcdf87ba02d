import { milliseconds } from '../core/duration.ts';
import { next } from '../core/next.ts';
import type { ApprovalRule, Phase } from '../core/plan.ts';
import { touch, wake } from '../incident/rows.ts';
import { actorOf } from '../policy/policy.ts';
import { readSwitches } from '../store/settings.ts';
import { type Desk, personBehind, refuse, type Said } from './desk.ts';
import { findRun } from './run.ts';

/** An approval that nobody used by then must be asked for again. */
const VALID_FOR = milliseconds('24h');

export interface Verdict {
  readonly run: string;
  /** Of the plan that the person was shown. */
  readonly planSha256: string;
  readonly verdict: 'approve' | 'deny';
  /** How the person came in: `slack:U012AB`, `console:…`, `cli:…`. */
  readonly authn: string;
  readonly why?: string;
}

/**
 * Records a person's verdict on exactly the plan they were shown: a denial of everything that waits, or an approval of those
 * waiting phases that this person may approve, each by its own rule. Refused when the plan has changed, when they asked for the run themselves, or when nothing waits for a verdict.
 */
export async function decide(desk: Desk, { run, planSha256, verdict, authn, why }: Verdict): Promise<Said> {
  const known = personBehind(desk, authn);
  if ('refused' in known) return known.refused;
  const { person } = known;
  return desk.ledger.commit(async (tx, append) => {
    const found = await findRun(tx, run);
    if (!found) return refuse('not-found', 'There is no such run. Open the incident again for its current state.');
    const { row, ref, state } = found;
    if (!state.response)
      return refuse('not-waiting', `${ref} is still being assessed; there is no plan to ${verdict} yet.`);
    if (state.response.sha256 !== planSha256) {
      return refuse(
        'stale-plan',
        `The plan of ${ref} has changed since you saw it. Read the new one and decide again.`,
      );
    }
    const now = desk.clock.now();
    const action = next(state, now.getTime(), await readSwitches(tx));
    if (action.do !== 'await' || action.what.need !== 'approval') {
      return refuse('not-waiting', `${ref} waits for no approval: it may have been decided already.`);
    }
    const { phases: waiting, people, roles, because } = action.what;
    if (verdict === 'approve' && state.opened.requestedBy === person.id) {
      return refuse('own-request', `You asked for ${ref} yourself; someone else must approve it.`);
    }
    const allowed = desk.policy.may(person, verdict, { people, roles, because });
    if (!allowed.ok) return refuse('not-allowed', `You may not ${verdict} this: ${allowed.because}`);
    const [first] = waiting;
    const mine = state.approvals.some(
      (each) => each.by.id === person.id && each.planSha256 === planSha256 && first && each.phases.includes(first),
    );
    if (verdict === 'approve' && mine) {
      return refuse('already', `You have approved ${ref} already; it needs ${people} more, from other people.`);
    }
    // Each phase has its own rule: whoever may approve the containment has not thereby approved the deletion.
    const ruleOf = (phase: Phase): ApprovalRule | undefined =>
      state.response?.plan.phases.find((each) => each.phase === phase)?.approval;
    const mayApprove = (phase: Phase): boolean => desk.policy.may(person, 'approve', ruleOf(phase)).ok;
    const phases = verdict === 'deny' ? waiting : waiting.filter((phase) => phase === first || mayApprove(phase));
    append({
      type: 'approval',
      actor: actorOf(person, authn),
      incident: row.incident,
      run,
      verdict,
      planSha256,
      phases,
      expiresAt: new Date(now.getTime() + VALID_FOR).toISOString(),
      nonce: desk.random(),
      refs: [state.response.seq],
      authority: { policySha256: desk.policy.sha256 },
      ...(why ? { why } : {}),
    });
    await wake(tx, run, now);
    await touch(tx, row.incident);
    if (verdict === 'deny') return { ok: true, said: `Denied. ${ref} stays as it is.`, incident: row.incident };
    const left = people - 1;
    const said =
      left > 0 ? `Approved. ${ref} needs ${left} more.` : `Approved. ${ref} goes on: ${phases.join(', then ')}.`;
    return { ok: true, said, incident: row.incident };
  });
}
