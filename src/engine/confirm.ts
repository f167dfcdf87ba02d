import type { Action } from '../core/action.ts';
import { Failure } from '../core/failure.ts';
import type { RunState } from '../core/journal.ts';
import type { Liveness } from '../core/operation.ts';
import type { Phase } from '../core/plan.ts';
import { pollDelay } from '../core/retry.ts';
import { heed, type Moved, operationOf, spanOf, waitForTurn } from './call.ts';
import { idempotencyKey } from './key.ts';
import { type Engine, record, type Session } from './session.ts';

/**
 * Asks once whether the credential is as the plan expects. Only what changes is recorded: the first time it is as expected, and the
 * end: still so past the provider's propagation, or not so in time, which calls a person.
 */
export async function confirm(
  engine: Engine,
  session: Session,
  action: Extract<Action, { do: 'confirm' }>,
): Promise<Moved> {
  const { step, attempt, input, seenAt } = action;
  const now = engine.clock.now().getTime();
  const phase = phaseOf(session.state, step.id);
  const wait = waitForTurn(engine, session, phase, action);
  if (wait > 0) return { session, again: now + wait };
  const key = idempotencyKey(session.lease.run, step.id);
  const since = action.since ?? now;

  const operation = operationOf(engine, step.op);
  const traced = { ...spanOf(session), operation: step.op, stage: 'confirm', phase, attempt } as const;
  const called = await engine.traces.call(traced, () =>
    engine.caller.call({ idempotencyKey: key, approval: null }, async (ctx) => {
      if (operation.effect === 'none') throw operation.failure;
      if (operation.effect !== 'observe') throw new Failure('invalid', `${step.op} is not a read.`);
      return asLiveness(await operation.run(ctx, input));
    }),
  );
  heed(engine, action, called);
  const answer: Liveness = called.ok ? called.value : { state: 'unknown', because: called.failure.message };
  const ids = called.requestIds.length > 0 ? { requestIds: called.requestIds } : {};
  const result = { type: 'result', step: step.id, attempt, by: 'call', out: { ...answer }, ...ids } as const;

  if (answer.state === step.expect) {
    const outcome = seenAt !== null || step.settleMs === 0 ? 'done' : 'seen';
    return { session: await record(engine, session, [{ ...result, outcome }]) };
  }
  const elapsed = engine.clock.now().getTime() - since;
  const within = changeFailed(session.state, step.id) ? Math.min(step.withinMs, LONG_ENOUGH_MS) : step.withinMs;
  if (elapsed >= within || (!called.ok && called.failure.code === 'invalid')) {
    const message = `Expected it to be ${step.expect}; it is ${answer.state}: ${answer.because}`;
    const outcome = answer.state === 'unknown' ? 'unknown' : 'failed';
    return { session: await record(engine, session, [{ ...result, outcome, error: { code: 'conflict', message } }]) };
  }
  if (seenAt !== null) {
    const message = `It was ${step.expect}, and is ${answer.state} again: ${answer.because}`;
    return {
      session: await record(engine, session, [
        { ...result, outcome: 'in-doubt', error: { code: 'conflict', message } },
      ]),
    };
  }
  return { session, again: Math.min(now + pollDelay(elapsed), since + within) };
}

/** Past any provider's propagation. */
const LONG_ENOUGH_MS = 30_000;

/** Whether a change of the same phase failed for good: then time alone will not make it so, and a person is called soon. */
function changeFailed({ response, steps }: RunState, confirmation: string): boolean {
  const planned = response?.plan.phases.find((phase) => phase.steps.some(({ id }) => id === confirmation))?.steps ?? [];
  return planned.some((step) => {
    const state = steps.get(step.id);
    const stuck = state?.is === 'failed' || state?.is === 'unknown';
    return stuck && step.kind === 'call' && step.effect !== 'observe';
  });
}

/** A liveness operation of an extension may give anything; only the three answers are believed. */
function asLiveness(value: unknown): Liveness {
  if (typeof value === 'object' && value !== null && 'state' in value && 'because' in value) {
    const { state, because } = value;
    if ((state === 'dead' || state === 'live' || state === 'unknown') && typeof because === 'string')
      return { state, because };
  }
  throw new Failure('garbled', 'The operation answered neither dead, live nor unknown.');
}

/** Which phase a step stands in: a confirmation of containment takes its turn as containment does. */
function phaseOf({ assess, response }: RunState, id: string): Phase {
  const phases = [...(assess?.plan.phases ?? []), ...(response?.plan.phases ?? [])];
  return phases.find(({ steps }) => steps.some((step) => step.id === id))?.phase ?? 'retire';
}
