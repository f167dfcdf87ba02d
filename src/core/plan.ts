import type { Credential } from './credential.ts';
import type { Json, JsonObject } from './json.ts';

export const PHASES = ['assess', 'contain', 'rotate', 'retire'] as const;
export type Phase = (typeof PHASES)[number];
export type Effect = 'observe' | 'reversible' | 'irreversible';

interface Common {
  /** `phase/name`, or `phase/name.2` in a list: stable within the plan, and how entries name the step. */
  readonly id: string;
  readonly title: string;
}

/** A step as it stands in a plan: pure data. `input` may hold `{ $out: stepId, path }` where an earlier step's output goes. */
export type PlannedStep =
  | (Common & {
      readonly kind: 'call';
      readonly effect: Effect;
      readonly op: string;
      readonly input: Json;
      /** Why an irreversible step stands in `contain` or `rotate`: the provider offers nothing better. */
      readonly unavoidable?: string;
      /** What a read gives when it cannot be had, so that missing evidence never holds up containment. */
      readonly otherwise?: Json;
    })
  | (Common & {
      readonly kind: 'confirm';
      readonly op: string;
      readonly input: Json;
      readonly expect: 'dead' | 'live';
      /** Give up and call a person after this long. */
      readonly withinMs: number;
      /** Look again after this long, past the provider's propagation, before believing it. */
      readonly settleMs: number;
    })
  | (Common & {
      readonly kind: 'guided';
      readonly instructions: string;
      readonly link?: string;
      /** What the person is asked to answer once it is done. */
      readonly asks: string;
    })
  | (Common & { readonly kind: 'wait'; readonly forMs: number });

/** Who must say yes before a phase begins; `people: 0` means that policy lets the bot act by itself. */
export interface ApprovalRule {
  readonly people: number;
  readonly roles: readonly string[];
  readonly because: string;
}

export interface PlannedPhase {
  readonly phase: Phase;
  readonly approval: ApprovalRule;
  readonly steps: readonly PlannedStep[];
}

/** Everything a run will do, as data. Its SHA-256 over canonical JSON is what people approve and what the engine runs. */
export interface Plan {
  readonly v: 1;
  readonly run: string;
  readonly runbook: string;
  readonly title: string;
  readonly credential: Credential;
  readonly params: JsonObject;
  readonly phases: readonly PlannedPhase[];
}
