import type { Effect, Phase, Plan } from '../core/plan.ts';
import { type Answer, answerOf } from './cases.ts';
import { compile, type PolicyTexts } from './compile.ts';
import { openPolicy } from './open.ts';
import type { Holding, PhaseQuestion, Roster } from './policy.ts';
import { phaseQuestion } from './question.ts';
import { reasonFor } from './rule.ts';

/** A run as far as policy was asked about it. */
export interface Decided {
  readonly plan: Plan;
  /** Of the policy that made the plan; absent where the ledger does not say. */
  readonly policySha256?: string;
  readonly opened: Pick<PhaseQuestion, 'credential' | 'severity' | 'exposure' | 'validity' | 'requestedBy'>;
  /** What is known of the credential today: the ledger does not keep what was known then. */
  readonly holding: Holding;
}

export interface PhaseExplained {
  readonly phase: Phase;
  /** What the policy answered when the plan was made. */
  readonly recorded: Answer;
  /** What today's policy would answer. */
  readonly today: Answer;
  /** Whether the brake had to be taken as on to come to `today`: it is on record only in the reasons. */
  readonly braked: boolean;
  readonly same: boolean;
  /** Today's rules that settle it, in the order in which they were written. */
  readonly rules: readonly { readonly id: string; readonly reason: string }[];
}

export interface Explained {
  /** The SHA-256 of the policy that made the plan; null where the ledger does not say. */
  readonly recorded: string | null;
  readonly today: string;
  readonly phases: readonly PhaseExplained[];
}

/** Why the phases of a run may begin, or who was asked, and whether the policy in `texts` would decide otherwise today. Pure. */
export function explain(
  { plan, policySha256, opened, holding }: Decided,
  texts: PolicyTexts,
  roster: Roster,
): Explained {
  const policy = openPolicy(texts, roster);
  const compiled = compile(texts);
  const requester =
    opened.requestedBy === undefined ? undefined : roster.people.find((each) => each.id === opened.requestedBy);
  const phases = plan.phases.flatMap(({ phase, steps, approval }): PhaseExplained[] => {
    if (steps.length === 0) return [];
    const effects = [...new Set(steps.map((step): Effect => (step.kind === 'call' ? step.effect : 'observe')))];
    const recorded = answerOf(approval);
    const ask = (braked: boolean) => {
      const question: PhaseQuestion = { ...opened, phase, effects, holding, braked };
      const settled = compiled.ask(phaseQuestion(question, requester));
      const rules = settled.decision === 'error' ? [] : settled.rules;
      const today = answerOf(policy.approvalFor(question));
      return {
        phase,
        recorded,
        today,
        braked,
        same: sameAnswer(recorded, today),
        rules: rules.map((rule) => ({ id: rule.id, reason: reasonFor(rule, question) })),
      };
    };
    const [calm, braked] = [ask(false), ask(true)];
    return [!calm.same && braked.same ? braked : calm];
  });
  return { recorded: policySha256 ?? null, today: policy.sha256, phases };
}

const sameAnswer = (a: Answer, b: Answer): boolean => {
  if (a.answer !== 'ask' || b.answer !== 'ask') return a.answer === b.answer;
  return a.people === b.people && a.roles.length === b.roles.length && a.roles.every((each) => b.roles.includes(each));
};
