import type { Action, Switches } from './action.ts';
import type { Approval, RunState } from './journal.ts';
import type { PlannedPhase } from './plan.ts';

/** Whether the phase may begin: by policy alone, or with the approvals it asks for, of exactly this plan, used in time. */
export function gate(state: RunState, { phase, approval }: PlannedPhase, now: number, switches: Switches): Action {
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
