import type { Action } from '../core/action.ts';
import { Failure } from '../core/failure.ts';
import type { RunState } from '../core/journal.ts';
import { planningStep } from '../core/next.ts';
import type { Plan } from '../core/plan.ts';
import { PlanError } from '../core/planner.ts';
import { sha256OfJson, tidy } from '../custody/canonical.ts';
import type { Tx } from '../store/store.ts';
import { countAgainst, isBraked } from './brake.ts';
import { assessPlan, type Compiler, responsePlan } from './compile.ts';
import { idempotencyKey } from './key.ts';
import type { Draft, Engine } from './session.ts';

/**
 * What is to be recorded for an action that follows from the journal alone: planning, beginning and ending a phase, beginning to wait
 * or to ask, closing.
 * It asks no provider, so it is recorded with what it follows from, in one durable commit. Null for any other action.
 */
export async function foregone(
  engine: Engine,
  tx: Tx,
  run: string,
  state: RunState,
  action: Action,
): Promise<readonly Draft[] | null> {
  switch (action.do) {
    case 'plan':
      return plan(engine, tx, run, state, action.stage);
    case 'begin': {
      const { phase, approvals, because } = action;
      const alone = phase === 'contain' && approvals.length === 0 && state.opened.requestedBy === undefined;
      // It closed since this was planned (a storm, a thaw): it is planned again, and then asks people.
      if (alone && !(await countAgainst(tx, engine.brake, engine.clock.now())))
        return plan(engine, tx, run, state, 'response');
      const authority = { policySha256: engine.policy.sha256, approvals };
      return [{ type: 'decision', decision: { is: 'phase-begun', phase, because }, authority }];
    }
    case 'start-wait': {
      const { id, forMs } = action.step;
      const key = idempotencyKey(run, id);
      return [{ type: 'intent', step: id, attempt: 1, op: 'wait', input: { forMs }, idempotencyKey: key }];
    }
    case 'pass':
      return [{ type: 'result', step: action.step, attempt: action.attempt, outcome: 'done', by: 'call' }];
    case 'end': {
      const { phase, ok, because } = action;
      return [{ type: 'decision', decision: { is: 'phase-ended', phase, ok, because } }];
    }
    case 'end-undo':
      return [{ type: 'decision', decision: { is: 'undo-ended', ok: action.ok } }];
    case 'close':
      return [{ type: 'decision', decision: { is: 'closed', because: action.because } }];
    case 'confirm': {
      // That asking begins is on record with what it follows from; asking itself waits for its turn.
      const { step, attempt, input, since } = action;
      const key = idempotencyKey(run, step.id);
      return since === null
        ? [{ type: 'intent', step: step.id, attempt, op: step.op, input, idempotencyKey: key }]
        : null;
    }
    case 'call':
    case 'probe':
    case 'undo':
    case 'sleep':
    case 'await':
    case 'rest':
      return null;
  }
}

/** Plans a stage. A runbook that cannot plan ends with a person, as a step that fails does. */
async function plan(
  engine: Engine,
  tx: Tx,
  run: string,
  state: RunState,
  stage: 'assess' | 'response',
): Promise<readonly Draft[]> {
  const braked = await isBraked(tx, engine.brake, engine.clock.now());
  const compiler: Compiler = {
    policy: engine.policy,
    runbook: (name) => engine.registry.runbook(name),
    holdingOf: engine.holdingOf,
    braked: () => braked,
  };
  const made = attempt(() =>
    stage === 'assess' ? assessPlan(run, state.opened, compiler) : responsePlan(run, state, compiler),
  );
  if ('plan' in made) {
    const sha256 = sha256OfJson(made.plan);
    return [{ type: 'plan', stage, plan: made.plan, sha256, authority: { policySha256: engine.policy.sha256 } }];
  }
  const step = planningStep(stage);
  const error = { code: 'invalid', message: made.why } as const;
  return [
    { type: 'intent', step, attempt: 1, op: 'plan', input: null, idempotencyKey: idempotencyKey(run, step) },
    { type: 'result', step, attempt: 1, outcome: 'failed', by: 'call', error },
  ];
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
