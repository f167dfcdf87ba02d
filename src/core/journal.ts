import type { Actor, Decision, Entry, FailureRecord } from './entry.ts';
import type { Json } from './json.ts';
import type { Phase, Plan } from './plan.ts';

/** Where one step stands. Absent from the journal means not begun. Times are milliseconds since the epoch. */
export type StepState =
  /** Its intent is recorded and its result is not: while no worker holds the run, the effect is in doubt. */
  | {
      readonly is: 'intended';
      readonly attempt: number;
      readonly since: number;
      readonly input: Json;
      readonly before: Json;
    }
  /** A confirmation that was once as expected, waiting out the provider's propagation. */
  | { readonly is: 'seen'; readonly attempt: number; readonly since: number; readonly at: number; readonly input: Json }
  /**
   * It is not in place; the next attempt may begin at `at`. An attempt that died halfway may have left something behind, so the
   * next one goes by the state `before` the first.
   */
  | {
      readonly is: 'again';
      readonly attempt: number;
      readonly at: number;
      readonly before: Json;
      readonly error?: FailureRecord;
    }
  | { readonly is: 'done'; readonly out: Json; readonly input: Json; readonly before: Json; readonly at: number }
  | {
      readonly is: 'failed' | 'unknown';
      readonly attempt: number;
      readonly error: FailureRecord;
      readonly intended?: Intended;
    };
type Intended = Extract<StepState, { is: 'intended' }>;

export type UndoState =
  | { readonly is: 'intended'; readonly attempt: number }
  | { readonly is: 'again'; readonly attempt: number; readonly at: number }
  | { readonly is: 'done' }
  | { readonly is: 'failed'; readonly attempt: number; readonly error: FailureRecord };

export interface Approval {
  readonly seq: number;
  readonly by: Actor;
  readonly planSha256: string;
  readonly phases: readonly Phase[];
  readonly expiresAt: number;
}

export interface Stage {
  readonly plan: Plan;
  readonly sha256: string;
  readonly seq: number;
}

/** Everything the engine knows of a run: a fold of its journal, and nothing else. */
export interface RunState {
  readonly opened: Extract<Decision, { is: 'run-opened' }> & { readonly at: number };
  readonly assess?: Stage;
  readonly response?: Stage;
  readonly approvals: readonly Approval[];
  readonly denials: readonly Approval[];
  readonly begun: ReadonlyMap<Phase, { readonly at: number; readonly approvals: readonly number[] }>;
  readonly ended: ReadonlyMap<Phase, { readonly at: number; readonly ok: boolean; readonly because: string }>;
  readonly steps: ReadonlyMap<string, StepState>;
  readonly undo?: {
    readonly by: Actor;
    readonly steps: ReadonlyMap<string, UndoState>;
    readonly ended?: { readonly ok: boolean };
  };
  readonly closed?: { readonly at: number; readonly because: string };
}

/** Folds the entries of one run, oldest first. Null when they do not open one. Pure: the same entries give the same state. */
export function fold(entries: readonly Entry[]): RunState | null {
  let state: RunState | null = null;
  for (const entry of entries) {
    if (state) state = advance(state, entry);
    else if (entry.type === 'decision' && entry.decision.is === 'run-opened')
      state = opened(entry.decision, timeOf(entry));
  }
  return state;
}

const timeOf = (entry: Entry): number => Date.parse(entry.time.utc);

const opened = (decision: RunState['opened'] | Extract<Decision, { is: 'run-opened' }>, at: number): RunState => ({
  opened: { ...decision, at },
  approvals: [],
  denials: [],
  begun: new Map(),
  ended: new Map(),
  steps: new Map(),
});

/** The state after one more entry of the same run. */
export function advance(state: RunState, entry: Entry): RunState {
  switch (entry.type) {
    case 'decision':
      return decided(state, entry.decision, entry);
    case 'plan': {
      const { plan, sha256, seq } = entry;
      return { ...state, [entry.stage]: { plan, sha256, seq } };
    }
    case 'approval': {
      const { seq, actor: by, planSha256, phases } = entry;
      const approval: Approval = { seq, by, planSha256, phases, expiresAt: Date.parse(entry.expiresAt) };
      return entry.verdict === 'approve'
        ? { ...state, approvals: [...state.approvals, approval] }
        : { ...state, denials: [...state.denials, approval] };
    }
    case 'intent': {
      const { step, attempt, input, before = null } = entry;
      return withStep(state, step, { is: 'intended', attempt, since: timeOf(entry), input, before });
    }
    case 'result':
      return withStep(state, entry.step, afterResult(state.steps.get(entry.step), entry));
    case 'undo':
      return { ...state, ...(state.undo ? { undo: afterUndo(state.undo, entry) } : {}) };
    case 'alert.received':
    case 'evidence':
    case 'transfer':
    case 'access':
    case 'key.rotate':
    case 'redaction':
    case 'heartbeat':
      return state;
  }
}

const withStep = (state: RunState, id: string, step: StepState): RunState => ({
  ...state,
  steps: new Map(state.steps).set(id, step),
});

function decided(state: RunState, decision: Decision, entry: Entry): RunState {
  const at = timeOf(entry);
  switch (decision.is) {
    case 'phase-begun': {
      const approvals = entry.authority?.approvals ?? [];
      return { ...state, begun: new Map(state.begun).set(decision.phase, { at, approvals }) };
    }
    case 'phase-ended': {
      const { phase, ok, because } = decision;
      return { ...state, ended: new Map(state.ended).set(phase, { at, ok, because }) };
    }
    case 'closed':
      return { ...state, closed: { at, because: decision.because } };
    case 'undo-requested': {
      const { closed: _reopened, ...rest } = state;
      return { ...rest, undo: { by: entry.actor, steps: new Map() } };
    }
    case 'undo-ended':
      return { ...state, ...(state.undo ? { undo: { ...state.undo, ended: { ok: decision.ok } } } : {}) };
    case 'retry-requested':
      return retried(state, at);
    case 'answered': {
      const done: StepState = { is: 'done', out: { answer: decision.answer }, input: null, before: null, at };
      return withStep(state, decision.step, done);
    }
    case 'finding':
    case 'incident-opened':
    case 'run-opened':
    case 'frozen':
    case 'thawed':
      return state;
  }
}

function afterResult(earlier: StepState | undefined, entry: Extract<Entry, { type: 'result' }>): StepState {
  const at = timeOf(entry);
  const { attempt, error } = entry;
  const intended = earlier?.is === 'intended' ? earlier : undefined;
  const input = earlier && 'input' in earlier ? earlier.input : null;
  const before = intended?.before ?? null;
  const blame = error ?? { code: 'bug', message: 'no reason was recorded' };
  switch (entry.outcome) {
    case 'done':
    case 'skipped':
      return { is: 'done', out: entry.out ?? null, input, before, at };
    case 'seen':
      return { is: 'seen', attempt, since: intended?.since ?? at, at, input };
    case 'in-doubt':
      if (earlier?.is === 'seen') return { is: 'intended', attempt, since: earlier.since, input, before };
      return intended ?? { is: 'intended', attempt, since: at, input, before };
    case 'retry':
      return {
        is: 'again',
        attempt,
        at: entry.retryAt ? Date.parse(entry.retryAt) : at,
        before,
        ...(error ? { error } : {}),
      };
    case 'not-done':
      return { is: 'again', attempt, at, before };
    case 'failed':
    case 'unknown':
      return { is: entry.outcome, attempt, error: blame, ...(intended ? { intended } : {}) };
  }
}

function afterUndo(
  undo: NonNullable<RunState['undo']>,
  entry: Extract<Entry, { type: 'undo' }>,
): NonNullable<RunState['undo']> {
  const { attempt, error, retryAt } = entry;
  const next = (): UndoState => {
    switch (entry.stage) {
      case 'intent':
        return { is: 'intended', attempt };
      case 'done':
        return { is: 'done' };
      case 'failed':
        if (retryAt) return { is: 'again', attempt, at: Date.parse(retryAt) };
        return { is: 'failed', attempt, error: error ?? { code: 'bug', message: 'no reason was recorded' } };
    }
  };
  return { ...undo, steps: new Map(undo.steps).set(entry.step, next()) };
}

/** A person asked to try again: what failed may be attempted anew, from the state they left; what is unknown is asked of the provider first. */
function retried(state: RunState, at: number): RunState {
  const steps = new Map(state.steps);
  for (const [id, step] of steps) {
    if (step.is === 'failed') steps.set(id, { is: 'again', attempt: step.attempt, at, before: null });
    if (step.is === 'unknown')
      steps.set(
        id,
        step.intended ? { ...step.intended, since: at } : { is: 'again', attempt: step.attempt, at, before: null },
      );
  }
  const ended = new Map([...state.ended].filter(([, end]) => end.ok));
  const undo = state.undo && {
    by: state.undo.by,
    steps: new Map([...state.undo.steps].filter(([, step]) => step.is === 'done')),
  };
  return { ...state, steps, ended, ...(undo ? { undo } : {}) };
}
