import type { Action } from '../core/action.ts';
import { Failure } from '../core/failure.ts';
import { judge } from '../core/retry.ts';
import { heed, later, type Moved, operationOf, recordOf, spanOf, waitForTurn } from './call.ts';
import { idempotencyKey } from './key.ts';
import { type Draft, type Engine, record, type Session } from './session.ts';

/** Takes one step back to the state recorded before it acted. Undoing is safe to repeat, so a restart does just that. */
export async function undoStep(
  engine: Engine,
  session: Session,
  action: Extract<Action, { do: 'undo' }>,
): Promise<Moved> {
  const { step, attempt, input, before } = action;
  const wait = waitForTurn(engine, session, 'undo', action);
  if (wait > 0) return { session, again: engine.clock.now().getTime() + wait };
  const undo = { type: 'undo', step: step.id, attempt } as const;
  const intended = await record(engine, session, [{ ...undo, stage: 'intent' }]);
  const operation = operationOf(engine, step.op);
  const requester = session.state.undo?.by.id;
  const options = {
    idempotencyKey: `${idempotencyKey(session.lease.run, step.id)}-undo`,
    approval: requester === undefined ? null : { entries: [], by: [requester] },
  };
  const traced = { ...spanOf(session), operation: step.op, stage: 'undo', phase: 'undo', attempt } as const;
  const called = await engine.traces.call(traced, () =>
    engine.caller.call(options, async (ctx) => {
      if (operation.effect === 'none') throw operation.failure;
      if (operation.effect !== 'reversible') throw new Failure('invalid', `${step.op} cannot be undone.`);
      return operation.undo(ctx, input, before);
    }),
  );
  heed(engine, action, called);
  const ids = called.requestIds.length > 0 ? { requestIds: called.requestIds } : {};
  if (called.ok) return { session: await record(engine, intended, [{ ...undo, stage: 'done', ...ids }]) };
  // repeating an undo is safe, so being in doubt about it is answered as a read is: again
  const verdict = judge(called.failure, { effect: 'observe', attempt, dispensable: false }, engine.jitter());
  const retryAt = verdict.is === 'retry' ? { retryAt: later(engine, verdict.delayMs) } : {};
  const failed: Draft = { ...undo, stage: 'failed', error: recordOf(called.failure), ...retryAt, ...ids };
  return { session: await record(engine, intended, [failed]) };
}
