import type { StepState } from './journal.ts';
import type { Json } from './json.ts';
import type { Phase, PlannedStep } from './plan.ts';

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
