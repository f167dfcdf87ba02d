import type { RunState } from '../core/journal.ts';
import type { JsonObject } from '../core/json.ts';
import type { ApprovalRule, Effect, Phase, Plan, PlannedStep } from '../core/plan.ts';
import { layOut, PlanError, phaseOf } from '../core/planner.ts';
import { outputsOf } from '../core/progress.ts';
import type { Runbook } from '../core/runbook.ts';
import type { Holding, PhaseQuestion, Policy } from '../policy/policy.ts';

/** What planning needs besides the journal. */
export interface Compiler {
  readonly policy: Policy;
  readonly runbook: (name: string) => Runbook | undefined;
  readonly holdingOf: (state: RunState['opened']) => Holding;
  readonly braked: () => boolean;
}

const READS_NEED_NOBODY: ApprovalRule = { people: 0, roles: [], because: 'reads change nothing' };

/** The brake stands around policy: a policy that forgets it does not open it. */
const BRAKED: ApprovalRule = {
  people: 1,
  roles: ['responder', 'lead', 'approver'],
  because: 'the brake is on: the bot has contained as many as it may by itself for now',
};

/** The first plan of a run: what is read before anything is decided. Throws PlanError in words when it cannot be made. */
export function assessPlan(run: string, opened: RunState['opened'], compiler: Compiler): Plan {
  const runbook = runbookOf(opened, compiler);
  const steps = layOut([{ phase: 'assess', steps: runbook.assess(opened.credential, opened.params) }]);
  return planOf(run, opened, runbook, [phaseOf('assess', steps.get('assess') ?? [], READS_NEED_NOBODY)]);
}

/**
 * The plan that people approve: contain, rotate and retire, made from what the assessment found, each phase with the approval that
 * policy asks for it. Throws PlanError in words when it cannot be made.
 */
export function responsePlan(run: string, state: RunState, compiler: Compiler): Plan {
  const { opened } = state;
  const runbook = runbookOf(opened, compiler);
  const written = runbook.respond(opened.credential, factsOf(state), opened.params);
  const phases = ['contain', 'rotate', 'retire'] as const;
  const laidOut = layOut(phases.map((phase) => ({ phase, steps: written[phase] })));
  const planned = phases.map((phase) => {
    const steps = laidOut.get(phase) ?? [];
    if (steps.length === 0) return phaseOf(phase, steps, READS_NEED_NOBODY);
    const asked = question(phase, steps, opened, compiler);
    const rule = compiler.policy.approvalFor(asked);
    const held = asked.braked && phase === 'contain' && rule.people === 0 && asked.requestedBy === undefined;
    return phaseOf(phase, steps, held ? BRAKED : rule);
  });
  return planOf(run, opened, runbook, planned);
}

function runbookOf(opened: RunState['opened'], { runbook }: Compiler): Runbook {
  const found = runbook(opened.runbook);
  if (!found)
    throw new PlanError(`the runbook ${opened.runbook} is not loaded; put it back, or undo and revoke by hand`);
  return found;
}

const planOf = (run: string, opened: RunState['opened'], runbook: Runbook, phases: Plan['phases']): Plan => ({
  v: 1,
  run,
  runbook: runbook.name,
  title: runbook.title,
  credential: opened.credential,
  params: opened.params,
  phases,
});

/** What the assessment gave, by the names that the runbook uses. */
function factsOf(state: RunState): JsonObject {
  const prefix = 'assess/';
  const facts = [...outputsOf(state)].filter(([id]) => id.startsWith(prefix));
  return Object.fromEntries(facts.map(([id, output]) => [id.slice(prefix.length), output]));
}

function question(
  phase: Phase,
  steps: readonly PlannedStep[],
  opened: RunState['opened'],
  compiler: Compiler,
): PhaseQuestion {
  const { credential, severity, exposure, validity, requestedBy } = opened;
  return {
    phase,
    effects: [...new Set(steps.map(effectOf))],
    credential,
    holding: compiler.holdingOf(opened),
    severity,
    exposure,
    validity,
    braked: compiler.braked(),
    ...(requestedBy === undefined ? {} : { requestedBy }),
  };
}

const effectOf = (step: PlannedStep): Effect => (step.kind === 'call' ? step.effect : 'observe');
