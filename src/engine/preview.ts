import type { Clock } from '../core/clock.ts';
import type { Clue } from '../core/finding.ts';
import type { RunState } from '../core/journal.ts';
import type { Json } from '../core/json.ts';
import type { Plan } from '../core/plan.ts';
import { PlanError, resolve } from '../core/planner.ts';
import { type Inventory, paramsOf } from '../inventory.ts';
import type { Policy } from '../policy/policy.ts';
import type { Caller } from '../providers/caller.ts';
import { identify } from '../providers/identify.ts';
import type { Registry } from '../providers/registry.ts';
import { assessPlan, type Compiler, responsePlan } from './compile.ts';

/** What would be done, or why nothing would. `unread` names the reads that could not be had and what was assumed. */
export type Preview =
  | { readonly ok: true; readonly plan: Plan; readonly unread: readonly string[] }
  | { readonly ok: false; readonly message: string };

export interface PreviewOptions {
  readonly registry: Registry;
  readonly caller: Caller;
  readonly policy: Policy;
  readonly inventory: Inventory;
  readonly clock: Clock;
  readonly nameSecret: (secret: string) => string;
  readonly requestedBy: string;
}

/**
 * A dry run: the runbook planned from real reads by the very code that a run uses; nothing is changed, nothing is written.
 * A secret in the clue is used for the reads that need it only where the connector can do without our keeping it.
 */
export async function preview(clue: Clue, options: PreviewOptions): Promise<Preview> {
  const { registry, caller, policy, inventory } = options;
  const found = await identify(clue, options);
  if (found.is !== 'credential') return { ok: false, message: `Nothing would be done: ${found.because}` };
  const { credential } = found;
  const runbook = registry.runbookFor(credential.kind);
  if (!runbook) return { ok: false, message: `Nothing would be done: no runbook handles "${credential.kind}".` };
  const params = runbook.params.safeParse(paramsOf(inventory.holdingOf(credential)));
  if (!params.success)
    return { ok: false, message: `The inventory's params for this credential do not fit ${runbook.name}.` };
  const compiler: Compiler = {
    policy,
    runbook: (name) => registry.runbook(name),
    holdingOf: (opened) => inventory.holdingOf(opened.credential),
    braked: () => false,
  };
  const state: RunState = {
    opened: {
      is: 'run-opened',
      runbook: runbook.name,
      credential,
      params: params.data,
      severity: 'high',
      exposure: found.exposure ?? 'unknown',
      validity: found.validity ?? 'unknown',
      requestedBy: options.requestedBy,
      at: options.clock.now().getTime(),
    },
    approvals: [],
    denials: [],
    begun: new Map(),
    ended: new Map(),
    steps: new Map(),
  };
  try {
    const assess = assessPlan('preview', state.opened, compiler);
    const { steps, unread } = await readAll(assess, caller, registry, options.clock.now().getTime());
    const missing = unread.find((title) => !title.dispensable);
    if (missing)
      return { ok: false, message: `It could not be planned: "${missing.title}" failed: ${missing.because}` };
    const plan = responsePlan('preview', { ...state, assess: { plan: assess, sha256: '', seq: 0 }, steps }, compiler);
    return { ok: true, plan, unread: unread.map(({ title, because }) => `${title}: ${because}`) };
  } catch (error) {
    if (error instanceof PlanError) return { ok: false, message: `It could not be planned: ${error.message}` };
    throw error;
  }
}

interface Unread {
  readonly title: string;
  readonly because: string;
  readonly dispensable: boolean;
}

async function readAll(
  assess: Plan,
  caller: Caller,
  registry: Registry,
  at: number,
): Promise<{ steps: RunState['steps']; unread: readonly Unread[] }> {
  const steps = new Map<string, { is: 'done'; out: Json; input: Json; before: null; at: number }>();
  const unread: Unread[] = [];
  for (const step of assess.phases.flatMap((phase) => phase.steps)) {
    if (step.kind !== 'call') continue;
    const operation = registry.operation(step.op);
    const input = resolve(step.input, new Map());
    const called =
      operation?.effect === 'observe'
        ? await caller.call({ idempotencyKey: 'preview', approval: null }, (ctx) => operation.run(ctx, input))
        : undefined;
    if (called?.ok) {
      steps.set(step.id, { is: 'done', out: called.value, input, before: null, at });
      continue;
    }
    const because = called ? called.failure.message : `"${step.op}" is not available`;
    unread.push({ title: step.title, because, dispensable: step.otherwise !== undefined });
    if (step.otherwise !== undefined) steps.set(step.id, { is: 'done', out: step.otherwise, input, before: null, at });
  }
  return { steps, unread };
}
