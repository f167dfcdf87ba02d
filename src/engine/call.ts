import type { Action, Call } from '../core/action.ts';
import type { BoundOperation } from '../core/connector.ts';
import type { FailureRecord, StepOutcome } from '../core/entry.ts';
import { Failure } from '../core/failure.ts';
import type { RunState, StepState } from '../core/journal.ts';
import type { Json } from '../core/json.ts';
import type { Phase } from '../core/plan.ts';
import { backoff, DOUBT_LIMIT_MS, judge } from '../core/retry.ts';
import type { TracedCall } from '../core/traces.ts';
import type { Called, CallOptions } from '../providers/caller.ts';
import { rankOf, wayOf } from '../providers/gate.ts';
import { idempotencyKey } from './key.ts';
import { type Draft, type Engine, record, type Session } from './session.ts';

/** What became of an action: the run moved, or it must be looked at again later (without anything to record). */
export type Moved = { readonly session: Session; readonly again?: number };

type Operable = BoundOperation | { readonly effect: 'none'; readonly failure: Failure };

/** The operation of a step, or why it cannot be called. */
export function operationOf(engine: Engine, name: string): Operable {
  const operation = engine.registry.operation(name);
  if (operation) return operation;
  const connector = name.split('.')[0];
  const message = `The connector "${connector}" is not configured, so "${name}" cannot be called. Configure it and retry, or do this step by hand.`;
  return { effect: 'none', failure: new Failure('invalid', message) };
}

/** The approvals under which a phase runs. */
export function approvalOf(state: RunState, phase: Phase): CallOptions['approval'] {
  const entries = state.begun.get(phase)?.approvals ?? [];
  if (entries.length === 0) return null;
  return { entries, by: state.approvals.filter((each) => entries.includes(each.seq)).map((each) => each.by.id) };
}

/** Why a call is made, as far as its turn depends on it. */
export type Purpose = Phase | 'undo';

/** Containment before evidence before housekeeping; within each, the more severe before the less. */
const CLASS = { contain: 0, assess: 1, undo: 1, rotate: 2, retire: 2 } as const satisfies Record<Purpose, number>;

/**
 * Asks for a turn at the provider without holding anything up: 0 when the call may be made now and `heed` will be told what came of
 * it, else the milliseconds until it is worth asking again.
 */
export function waitForTurn(engine: Engine, session: Session, purpose: Purpose, { step, input }: Turn): number {
  const way = wayOf(engine.registry, step.op, input);
  if (!way) return 0;
  const { severity } = session.state.opened;
  const asked = {
    ticket: `${session.lease.run}/${step.id}`,
    rank: rankOf(CLASS[purpose], severity),
    urgent: purpose === 'contain',
  };
  return engine.gate.enter(way, asked, engine.clock.now());
}

interface Turn {
  readonly step: { readonly id: string; readonly op: string };
  readonly input: Json;
}

/** Makes what the provider said, its wish for silence above all, hold for everyone and not for this step alone. */
export function heed(engine: Engine, { step, input }: Turn, called: Called<unknown>): void {
  const way = wayOf(engine.registry, step.op, input);
  if (way) engine.gate.left(way, called.ok ? null : called.failure, engine.clock.now());
}

export const recordOf = ({ code, message }: Failure): FailureRecord => ({ code, message });

const requestIdsOf = (called: Called<unknown>): { readonly requestIds?: readonly string[] } =>
  called.requestIds.length > 0 ? { requestIds: called.requestIds } : {};

/** Reads run at once: one commit with all their intents, one with all their results. */
export async function callReads(
  engine: Engine,
  session: Session,
  phase: Phase,
  calls: readonly Call[],
): Promise<Moved> {
  const now = engine.clock.now().getTime();
  const ready: Call[] = [];
  let wait = Number.POSITIVE_INFINITY;
  for (const call of calls) {
    const ms = waitForTurn(engine, session, phase, call);
    if (ms === 0) ready.push(call);
    else wait = Math.min(wait, ms);
  }
  if (ready.length === 0) return { session, again: now + wait };
  const intended = await record(
    engine,
    session,
    ready.map((call) => intentOf(session, call, null)),
  );
  const results = await Promise.all(
    ready.map(async (call) => {
      const operation = operationOf(engine, call.step.op);
      const called = await ask(engine, session, phase, call, 'read', async (ctx) => {
        if (operation.effect === 'none') throw operation.failure;
        if (operation.effect !== 'observe') throw new Failure('invalid', `${call.step.op} is not a read.`);
        return operation.run(ctx, call.input);
      });
      heed(engine, call, called);
      return resultOf(engine, call, called, 'call');
    }),
  );
  return { session: await record(engine, intended, results) };
}

/**
 * One step that changes something: the state before is recorded with the intent, then it acts, then the result is recorded. A further
 * attempt goes by the state before the first: what that one left behind when it died halfway is no state to go back to.
 */
export async function callMutation(engine: Engine, session: Session, phase: Phase, call: Call): Promise<Moved> {
  const now = engine.clock.now().getTime();
  const wait = waitForTurn(engine, session, phase, call);
  if (wait > 0) return { session, again: now + wait };
  const operation = operationOf(engine, call.step.op);
  const earlier = session.state.steps.get(call.step.id);
  const known = earlier?.is === 'again' ? earlier.before : null;
  const before = await ask(engine, session, phase, call, 'before', async (ctx) => {
    if (known !== null) return known;
    if (operation.effect === 'none') throw operation.failure;
    if (operation.effect === 'observe') throw new Failure('invalid', `${call.step.op} only reads.`);
    return operation.before(ctx, call.input);
  });
  heed(engine, call, before);
  if (!before.ok) {
    const intended = await record(engine, session, [intentOf(session, call, null)]);
    return { session: await record(engine, intended, [notBegun(engine, call, before)]) };
  }
  const remark = operation.effect === 'irreversible' ? await engine.remarkBeforeIrreversible?.() : undefined;
  const intent: Draft = { ...intentOf(session, call, before.value), ...(remark === undefined ? {} : { why: remark }) };
  const intended = await record(engine, session, [intent]);
  const called = await ask(engine, session, phase, call, 'run', async (ctx) => {
    if (operation.effect !== 'reversible' && operation.effect !== 'irreversible')
      throw new Failure('invalid', 'not a change');
    return operation.run(ctx, call.input, before.value);
  });
  heed(engine, call, called);
  return { session: await record(engine, intended, [resultOf(engine, call, called, 'call')]) };
}

/** An intent has no result: the provider is asked whether the effect is in place, before anything else is done. */
export async function probe(
  engine: Engine,
  session: Session,
  action: Extract<Action, { do: 'probe' }>,
): Promise<Moved> {
  const { step, state: intended, phase } = action;
  const call: Call = { step, attempt: intended.attempt, input: intended.input };
  const wait = waitForTurn(engine, session, phase, call);
  const now = engine.clock.now().getTime();
  if (wait > 0) return { session, again: now + wait };
  const operation = operationOf(engine, step.op);
  const called = await ask(engine, session, phase, call, 'probe', async (ctx) => {
    if (operation.effect === 'none') throw operation.failure;
    if (operation.effect === 'observe') throw new Failure('invalid', `${step.op} only reads.`);
    return operation.probe(ctx, intended.input, intended.before);
  });
  heed(engine, call, called);
  const done = (outcome: StepOutcome, more: { out?: Json; error?: FailureRecord }): Promise<Session> =>
    record(engine, session, [
      { type: 'result', step: step.id, attempt: call.attempt, outcome, by: 'probe', ...more, ...requestIdsOf(called) },
    ]);
  if (called.ok) {
    switch (called.value.state) {
      case 'done':
        return { session: await done('done', { out: called.value.out }) };
      case 'not-done':
        return { session: await done('not-done', {}) };
      case 'unknown':
        return { session: await done('unknown', { error: { code: 'garbled', message: called.value.because } }) };
    }
  }
  const hopeless = !['throttled', 'busy', 'unavailable', 'timeout'].includes(called.failure.code);
  const elapsed = now - intended.since;
  if (!hopeless && elapsed < DOUBT_LIMIT_MS)
    return { session, again: now + backoff(4, engine.jitter(), called.failure.retryAfterMs) };
  const message = `Whether "${step.title}" took effect could not be found out: ${called.failure.message}`;
  return { session: await done('unknown', { error: { code: called.failure.code, message } }) };
}

function ask<T>(
  engine: Engine,
  session: Session,
  phase: Phase,
  { step, attempt }: Call,
  stage: TracedCall['stage'],
  question: Parameters<typeof engine.caller.call<T>>[1],
): Promise<Called<T>> {
  const operation = engine.registry.operation(step.op);
  const options: CallOptions = {
    idempotencyKey: idempotencyKey(session.lease.run, step.id),
    approval: approvalOf(session.state, phase),
    ...(operation?.timeoutMs === undefined ? {} : { timeoutMs: operation.timeoutMs }),
  };
  const traced = { ...spanOf(session), operation: step.op, stage, phase, attempt };
  return engine.traces.call(traced, () => engine.caller.call(options, question));
}

/** Whose trace a call of this session belongs to. */
export const spanOf = ({ lease }: Session): Pick<TracedCall, 'incident' | 'run'> => ({
  incident: lease.incident,
  run: lease.run,
});

const intentOf = ({ lease }: Session, { step, attempt, input }: Call, before: Json): Draft => ({
  type: 'intent',
  step: step.id,
  attempt,
  op: step.op,
  input,
  ...(before === null ? {} : { before }),
  idempotencyKey: idempotencyKey(lease.run, step.id),
});

function resultOf(engine: Engine, { step, attempt }: Call, called: Called<Json>, by: 'call'): Draft {
  const common = { type: 'result', step: step.id, attempt, by, ...requestIdsOf(called) } as const;
  if (called.ok) return { ...common, outcome: 'done', out: called.value };
  const error = recordOf(called.failure);
  const verdict = judge(
    called.failure,
    { effect: step.effect, attempt, dispensable: step.otherwise !== undefined },
    engine.jitter(),
  );
  switch (verdict.is) {
    case 'retry':
      return { ...common, outcome: 'retry', error, retryAt: later(engine, verdict.delayMs) };
    case 'in-doubt':
      return { ...common, outcome: 'in-doubt', error };
    case 'failed':
      return { ...common, outcome: 'failed', error };
  }
}

/** The state before could not be read, so nothing was applied, whatever the failure. */
function notBegun(engine: Engine, call: Call, called: Extract<Called<Json>, { ok: false }>): Draft {
  const asRead: Call = { ...call, step: { ...call.step, effect: 'observe' } };
  return resultOf(engine, asRead, called, 'call');
}

export const later = (engine: Engine, ms: number): string => new Date(engine.clock.now().getTime() + ms).toISOString();

export type Intended = Extract<StepState, { is: 'intended' }>;
