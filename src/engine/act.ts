import type { Action } from '../core/action.ts';
import { Failure } from '../core/failure.ts';
import { planningStep } from '../core/next.ts';
import type { Plan } from '../core/plan.ts';
import { PlanError } from '../core/planner.ts';
import { sha256OfJson, tidy } from '../custody/canonical.ts';
import { countAgainst, isBraked } from './brake.ts';
import { callMutation, callReads, idempotencyKey, type Moved, probe } from './call.ts';
import { assessPlan, type Compiler, responsePlan } from './compile.ts';
import { confirm } from './confirm.ts';
import { type Engine, record, type Session } from './session.ts';
import { undoStep } from './undo.ts';

class BrakeClosed extends Error {
  override readonly name = 'BrakeClosed';
}

/** Does what `next` decided. Throws Superseded when the run was taken over, or people decided something, meanwhile. */
export async function act(
  engine: Engine,
  session: Session,
  action: Action,
): Promise<Moved | { readonly rest: number | null }> {
  switch (action.do) {
    case 'plan':
      return { session: await plan(engine, session, action.stage) };
    case 'begin': {
      const { phase, approvals, because } = action;
      const alone = phase === 'contain' && approvals.length === 0 && session.state.opened.requestedBy === undefined;
      const authority = { policySha256: engine.policy.sha256, approvals };
      const begun = { type: 'decision', decision: { is: 'phase-begun', phase, because }, authority } as const;
      try {
        const counted = await record(engine, session, [begun], async (tx) => {
          if (alone && !(await countAgainst(tx, engine.brake, engine.clock.now()))) throw new BrakeClosed();
        });
        return { session: counted };
      } catch (error) {
        // It closed since this was planned (a storm, a thaw): it is planned again, and then asks people.
        if (error instanceof BrakeClosed) return { session: await plan(engine, session, 'response') };
        throw error;
      }
    }
    case 'call': {
      const [first] = action.calls;
      if (!first) return { rest: null };
      return first.step.effect === 'observe'
        ? callReads(engine, session, action.phase, action.calls)
        : callMutation(engine, session, action.phase, first);
    }
    case 'probe':
      return probe(engine, session, action);
    case 'confirm':
      return confirm(engine, session, action);
    case 'start-wait': {
      const { id } = action.step;
      const key = idempotencyKey(session.lease.run, id);
      return {
        session: await record(engine, session, [
          {
            type: 'intent',
            step: id,
            attempt: 1,
            op: 'wait',
            input: { forMs: action.step.forMs },
            idempotencyKey: key,
          },
        ]),
      };
    }
    case 'pass':
      return {
        session: await record(engine, session, [
          { type: 'result', step: action.step, attempt: action.attempt, outcome: 'done', by: 'call' },
        ]),
      };
    case 'end': {
      const { phase, ok, because } = action;
      return {
        session: await record(engine, session, [
          { type: 'decision', decision: { is: 'phase-ended', phase, ok, because } },
        ]),
      };
    }
    case 'undo':
      return undoStep(engine, session, action);
    case 'end-undo':
      return {
        session: await record(engine, session, [{ type: 'decision', decision: { is: 'undo-ended', ok: action.ok } }]),
      };
    case 'close':
      return {
        session: await record(engine, session, [
          { type: 'decision', decision: { is: 'closed', because: action.because } },
        ]),
      };
    case 'sleep':
      return { rest: action.until };
    case 'await':
    case 'rest':
      return { rest: null };
  }
}

/** Plans a stage and records the plan. A runbook that cannot plan ends with a person, as a step that fails does. */
async function plan(engine: Engine, session: Session, stage: 'assess' | 'response'): Promise<Session> {
  const { run } = session.lease;
  const braked = await isBraked(engine.store.db, engine.brake, engine.clock.now());
  const compiler: Compiler = {
    policy: engine.policy,
    runbook: (name) => engine.registry.runbook(name),
    holdingOf: engine.holdingOf,
    braked: () => braked,
  };
  const made = attempt(() =>
    stage === 'assess' ? assessPlan(run, session.state.opened, compiler) : responsePlan(run, session.state, compiler),
  );
  if ('plan' in made) {
    const sha256 = sha256OfJson(made.plan);
    return record(engine, session, [
      { type: 'plan', stage, plan: made.plan, sha256, authority: { policySha256: engine.policy.sha256 } },
    ]);
  }
  const step = planningStep(stage);
  return record(engine, session, [
    { type: 'intent', step, attempt: 1, op: 'plan', input: null, idempotencyKey: idempotencyKey(run, step) },
    { type: 'result', step, attempt: 1, outcome: 'failed', by: 'call', error: { code: 'invalid', message: made.why } },
  ]);
}

/** A runbook is somebody's code: whatever it throws must end in words, and stop nothing else. */
function attempt(make: () => Plan): { readonly plan: Plan } | { readonly why: string } {
  try {
    const plan = make();
    tidy(plan); // what cannot stand in the ledger cannot be approved either
    return { plan };
  } catch (error) {
    if (error instanceof PlanError || error instanceof Failure)
      return { why: `The runbook could not be planned: ${error.message}` };
    return { why: `The runbook failed while planning (${error instanceof Error ? error.name : typeof error}).` };
  }
}
