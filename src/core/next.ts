import type { Approval, RunState, StepState } from './journal.ts';
import type { Json } from './json.ts';
import type { Phase, PlannedPhase, PlannedStep } from './plan.ts';
import { referencesIn, resolve } from './planner.ts';

/** What people have switched on, as far as it changes what may happen next. */
export interface Switches {
  readonly frozen: boolean;
}

export interface Call {
  readonly step: Extract<PlannedStep, { kind: 'call' }>;
  readonly attempt: number;
  readonly input: Json;
}

/** The one thing to do now for a run. Every way in which a run can wait names what it waits for. */
export type Action =
  | { readonly do: 'plan'; readonly stage: 'assess' | 'response' }
  | { readonly do: 'begin'; readonly phase: Phase; readonly approvals: readonly number[]; readonly because: string }
  /** One step that changes something, or several reads that do not depend on each other. */
  | { readonly do: 'call'; readonly phase: Phase; readonly calls: readonly Call[] }
  | { readonly do: 'probe'; readonly phase: Phase; readonly step: Call['step']; readonly state: Intended }
  /** `since`: when asking began; null when the intent is still to be recorded. */
  | {
      readonly do: 'confirm';
      readonly step: Confirm;
      readonly attempt: number;
      readonly input: Json;
      readonly since: number | null;
      readonly seenAt: number | null;
    }
  | { readonly do: 'start-wait'; readonly step: Wait }
  | { readonly do: 'pass'; readonly step: string; readonly attempt: number }
  | { readonly do: 'end'; readonly phase: Phase; readonly ok: boolean; readonly because: string }
  | {
      readonly do: 'undo';
      readonly step: Call['step'];
      readonly attempt: number;
      readonly input: Json;
      readonly before: Json;
    }
  | { readonly do: 'end-undo'; readonly ok: boolean }
  | { readonly do: 'close'; readonly because: string }
  | { readonly do: 'sleep'; readonly until: number; readonly because: 'retry' | 'settle' | 'soak' }
  | { readonly do: 'await'; readonly what: Awaited }
  | { readonly do: 'rest' };

/** What only a person can give. */
export type Awaited =
  | {
      readonly need: 'approval';
      /** Every phase that is still to be approved, the next one first; each has a rule of its own in the plan. */
      readonly phases: readonly Phase[];
      readonly people: number;
      readonly roles: readonly string[];
      readonly because: string;
    }
  | { readonly need: 'answer'; readonly step: string }
  | { readonly need: 'help'; readonly phase: Phase; readonly steps: readonly string[] }
  | { readonly need: 'thaw' };

type Intended = Extract<StepState, { is: 'intended' }>;
type Confirm = Extract<PlannedStep, { kind: 'confirm' }>;
type Wait = Extract<PlannedStep, { kind: 'wait' }>;

/**
 * The engine's whole judgement: what to do next for this run, given its journal and the time (milliseconds since the epoch).
 * Pure, so that a restart, another replica and a drill come to the same answer.
 */
export function next(state: RunState, now: number, switches: Switches): Action {
  if (state.closed) return { do: 'rest' };
  if (state.undo && !state.undo.ended) return nextUndo(state, state.undo, now, switches);
  if (state.undo?.ended) return { do: 'close', because: state.undo.ended.ok ? 'undone' : 'undone in part' };
  if (!state.assess) return plan(state, 'assess');
  for (const phase of state.assess.plan.phases) {
    const action = nextInPhase(state, phase, now, switches);
    if (action) return action;
  }
  if (!state.response) return plan(state, 'response');
  for (const phase of state.response.plan.phases) {
    const action = nextInPhase(state, phase, now, switches);
    if (action) return action;
  }
  return { do: 'close', because: 'every step is done' };
}

/** How entries name the planning of a stage, which can fail as a step can. */
export const planningStep = (stage: 'assess' | 'response'): string => `plan/${stage}`;

function plan(state: RunState, stage: 'assess' | 'response'): Action {
  const step = planningStep(stage);
  if (!isStuck(state.steps.get(step))) return { do: 'plan', stage };
  return { do: 'await', what: { need: 'help', phase: stage === 'assess' ? 'assess' : 'contain', steps: [step] } };
}

/** Null when the phase is over, well enough for the next one to begin. */
function nextInPhase(state: RunState, planned: PlannedPhase, now: number, switches: Switches): Action | null {
  const { phase, steps } = planned;
  const ended = state.ended.get(phase);
  if (ended?.ok || steps.length === 0) return null;
  if (!state.begun.has(phase)) return gate(state, planned, now, switches);
  const action = walk(state, phase, steps, now, switches);
  if (action) return action;
  const stuck = steps.filter((step) => isStuck(state.steps.get(step.id)) && !mayFail(step));
  if (stuck.length === 0)
    return { do: 'end', phase, ok: true, because: `${steps.length} of ${steps.length} steps done` };
  if (ended) return { do: 'await', what: { need: 'help', phase, steps: stuck.map((step) => step.id) } };
  return { do: 'end', phase, ok: false, because: `not done: ${stuck.map((step) => step.title).join('; ')}` };
}

/** Whether the phase may begin: by policy alone, or with the approvals it asks for, of exactly this plan, used in time. */
function gate(state: RunState, { phase, approval }: PlannedPhase, now: number, switches: Switches): Action {
  if (phase !== 'assess' && switches.frozen) return { do: 'await', what: { need: 'thaw' } };
  if (approval.people === 0) return { do: 'begin', phase, approvals: [], because: approval.because };
  const stage = state.response;
  const denial = state.denials.find((each) => each.planSha256 === stage?.sha256 && each.phases.includes(phase));
  if (denial) return { do: 'close', because: `denied by ${denial.by.id}` };
  const used = new Set([...state.begun.values()].flatMap((begun) => begun.approvals));
  const valid = state.approvals.filter(
    (each) =>
      each.planSha256 === stage?.sha256 && each.phases.includes(phase) && (now <= each.expiresAt || used.has(each.seq)),
  );
  const approvers = distinctPeople(valid, state.opened.requestedBy);
  if (approvers.length >= approval.people) {
    const names = approvers.map((each) => each.by.id).join(', ');
    return { do: 'begin', phase, approvals: approvers.map((each) => each.seq), because: `approved by ${names}` };
  }
  const waiting = (stage?.plan.phases ?? []).filter(
    (each) => !state.begun.has(each.phase) && each.approval.people > 0 && each.steps.length > 0,
  );
  const { people, roles, because } = approval;
  return {
    do: 'await',
    what: {
      need: 'approval',
      phases: waiting.map((each) => each.phase),
      people: people - approvers.length,
      roles,
      because,
    },
  };
}

function distinctPeople(approvals: readonly Approval[], requester: string | undefined): Approval[] {
  const byPerson = new Map<string, Approval>();
  for (const each of approvals) {
    if (each.by.kind === 'person' && each.by.id !== requester && !byPerson.has(each.by.id))
      byPerson.set(each.by.id, each);
  }
  return [...byPerson.values()];
}

/** The first thing to do among `steps`; null when nothing is left to do in this phase. */
function walk(
  state: RunState,
  phase: Phase,
  steps: readonly PlannedStep[],
  now: number,
  switches: Switches,
): Action | null {
  const outputs = outputsOf(state);
  let earliest: number | null = null;
  for (const [index, step] of steps.entries()) {
    const current = state.steps.get(step.id);
    if (current?.is === 'done') continue;
    if (isStuck(current)) {
      if (mayFail(step) || phase === 'contain') continue; // one failing part never stops the containment of the rest
      return null;
    }
    if (lacksInput(step, outputs)) {
      if (phase === 'contain') continue;
      return null;
    }
    if (current?.is === 'again' && current.at > now) {
      earliest = Math.min(earliest ?? current.at, current.at);
      if (phase === 'contain' || isRead(step)) continue; // while one step waits to try again, the others go on
      break;
    }
    if (earliest !== null && step.kind !== 'call') break; // a confirmation means nothing before the steps above it
    return actOn(state, phase, steps.slice(index), step, outputs, now, switches);
  }
  return earliest === null ? null : { do: 'sleep', until: earliest, because: 'retry' };
}

function actOn(
  state: RunState,
  phase: Phase,
  rest: readonly PlannedStep[],
  step: PlannedStep,
  outputs: ReadonlyMap<string, Json>,
  now: number,
  { frozen }: Switches,
): Action {
  const current = state.steps.get(step.id);
  const attempt = current && 'attempt' in current ? current.attempt + 1 : 1;
  switch (step.kind) {
    case 'call': {
      if (current?.is === 'intended' && step.effect !== 'observe') return { do: 'probe', phase, step, state: current };
      if (step.effect === 'observe') return { do: 'call', phase, calls: readsFrom(state, rest, outputs, now) };
      if (frozen) return { do: 'await', what: { need: 'thaw' } };
      return { do: 'call', phase, calls: [{ step, attempt, input: resolve(step.input, outputs) }] };
    }
    case 'confirm': {
      if (current?.is === 'seen') {
        const until = current.at + step.settleMs;
        if (now < until) return { do: 'sleep', until, because: 'settle' };
        return {
          do: 'confirm',
          step,
          attempt: current.attempt,
          input: current.input,
          since: current.since,
          seenAt: current.at,
        };
      }
      if (current?.is === 'intended') {
        return {
          do: 'confirm',
          step,
          attempt: current.attempt,
          input: current.input,
          since: current.since,
          seenAt: null,
        };
      }
      return { do: 'confirm', step, attempt, input: resolve(step.input, outputs), since: null, seenAt: null };
    }
    case 'guided':
      return { do: 'await', what: { need: 'answer', step: step.id } };
    case 'wait': {
      if (current?.is !== 'intended') return { do: 'start-wait', step };
      const until = current.since + step.forMs;
      return now < until
        ? { do: 'sleep', until, because: 'soak' }
        : { do: 'pass', step: step.id, attempt: current.attempt };
    }
  }
}

/** The reads at the head of `rest` that are due and need nothing from each other: they run at once. */
function readsFrom(
  state: RunState,
  rest: readonly PlannedStep[],
  outputs: ReadonlyMap<string, Json>,
  now: number,
): Call[] {
  const calls: Call[] = [];
  for (const step of rest) {
    if (!isRead(step)) break;
    const current = state.steps.get(step.id);
    const due = current === undefined || current.is === 'intended' || (current.is === 'again' && current.at <= now);
    if (!due || referencesIn(step.input).some((id) => !outputs.has(id))) continue;
    const attempt = current && 'attempt' in current ? current.attempt + 1 : 1;
    calls.push({ step, attempt, input: resolve(step.input, outputs) });
  }
  return calls;
}

const isRead = (step: PlannedStep): step is Call['step'] => step.kind === 'call' && step.effect === 'observe';
const mayFail = (step: PlannedStep): boolean => step.kind === 'call' && step.otherwise !== undefined;
const isStuck = (state: StepState | undefined): boolean => state?.is === 'failed' || state?.is === 'unknown';

function lacksInput(step: PlannedStep, outputs: ReadonlyMap<string, Json>): boolean {
  if (step.kind !== 'call' && step.kind !== 'confirm') return false;
  return referencesIn(step.input).some((id) => !outputs.has(id));
}

/** What each step gave, or what stands in for a read that could not be had. */
export function outputsOf(state: RunState): ReadonlyMap<string, Json> {
  const outputs = new Map<string, Json>();
  for (const phase of [...(state.assess?.plan.phases ?? []), ...(state.response?.plan.phases ?? [])]) {
    for (const step of phase.steps) {
      const current = state.steps.get(step.id);
      if (current?.is === 'done') outputs.set(step.id, current.out);
      else if (isStuck(current) && step.kind === 'call' && step.otherwise !== undefined)
        outputs.set(step.id, step.otherwise);
    }
  }
  return outputs;
}

/**
 * The steps that an undo would take back now, last first. Once retirement has begun to destroy the old credential, nothing that
 * came before can be taken back: its users live on the replacement, and the state before no longer exists.
 */
export function undoable(state: RunState): Call['step'][] {
  const phases = state.response?.plan.phases ?? [];
  const steps = phases.flatMap(({ phase, steps }) => steps.map((step) => ({ phase, step })));
  const destroyed = steps.findLastIndex(
    ({ phase, step }) =>
      phase === 'retire' &&
      step.kind === 'call' &&
      step.effect === 'irreversible' &&
      mayBeApplied(state.steps.get(step.id)),
  );
  return steps
    .slice(destroyed + 1)
    .map(({ step }) => step)
    .filter((step): step is Call['step'] => step.kind === 'call' && step.effect === 'reversible')
    .filter((step) => state.steps.get(step.id)?.is === 'done' && state.undo?.steps.get(step.id)?.is !== 'done')
    .reverse();
}

const mayBeApplied = (state: StepState | undefined): boolean =>
  state?.is === 'done' || state?.is === 'intended' || state?.is === 'unknown';

function nextUndo(state: RunState, undo: NonNullable<RunState['undo']>, now: number, { frozen }: Switches): Action {
  const doubtful = inDoubt(state);
  if (doubtful) return doubtful; // an effect that may be there must be known before it can be taken back
  if (frozen) return { do: 'await', what: { need: 'thaw' } };
  const waiting: number[] = [];
  const left = undoable(state);
  for (const step of left) {
    const current = undo.steps.get(step.id);
    const done = state.steps.get(step.id);
    if (current?.is === 'failed' || done?.is !== 'done') continue;
    if (current?.is === 'again' && current.at > now) {
      waiting.push(current.at);
      continue;
    }
    const attempt = current && 'attempt' in current ? current.attempt + 1 : 1;
    return { do: 'undo', step, attempt, input: done.input, before: done.before };
  }
  if (waiting.length > 0) return { do: 'sleep', until: Math.min(...waiting), because: 'retry' };
  return { do: 'end-undo', ok: left.length === 0 };
}

function inDoubt(state: RunState): Action | null {
  for (const { phase, steps } of state.response?.plan.phases ?? []) {
    for (const step of steps) {
      const current = state.steps.get(step.id);
      if (step.kind === 'call' && step.effect !== 'observe' && current?.is === 'intended') {
        return { do: 'probe', phase, step, state: current };
      }
    }
  }
  return null;
}
