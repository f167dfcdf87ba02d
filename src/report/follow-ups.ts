import type { Credential } from '../core/credential.ts';
import type { IncidentView, RunView } from '../incident/view.ts';
import { standingWords } from '../incident/words/standing.ts';
import { approvalWords, phasesInWords } from '../incident/words/terms.ts';
import { capital, inWords, oneLine, stamp } from '../incident/words/text.ts';
import type { Held } from '../inventory.ts';

export type HoldingOf = (credential: Credential) => Held;

/** What people still have to do or to know, each as one line of a checklist. */
export const followUpsOf = (incident: IncidentView, holdingOf: HoldingOf): readonly string[] =>
  [
    ...incident.runs.flatMap((run) => [...unsafe(run), ...waiting(run), ...guidedSteps(run), ...soaks(run)]),
    ...incident.runs.map((run) => tellOwner(run, holdingOf)),
    ...incident.findings
      .flatMap(({ locations }) => locations)
      .map(({ label }) => `Check that the secret is gone from ${label}, its history included`),
    ...incident.findings
      .filter(({ verdict }) => verdict === 'told')
      .map(({ title, because }) => `Look at what Tourniquet did not act on: ${title} (${because})`),
  ]
    .map(oneLine)
    .filter((line, index, all) => all.indexOf(line) === index);

const nameOf = ({ state }: RunView): string => `${state.opened.credential.kind} ${state.opened.credential.id}`;

function unsafe(run: RunView): readonly string[] {
  if (run.standing === 'undone') return [`Decide about ${nameOf(run)}: ${standingWords(run)}`];
  return run.milestones.contained === undefined ? [`Contain ${nameOf(run)}: it is not proved dead`] : [];
}

function waiting(run: RunView): readonly string[] {
  if (run.action.do !== 'await') return [];
  const { what } = run.action;
  switch (what.need) {
    case 'approval':
      return [`Approve or deny ${phasesInWords(what.phases)} of ${nameOf(run)}: needs ${approvalWords(what)}`];
    case 'help':
      return [`${capital(standingWords(run))} (${nameOf(run)})`];
    case 'thaw':
      return [`Thaw Tourniquet, so that ${nameOf(run)} goes on`];
    case 'answer':
      return []; // it is among the steps by hand
  }
}

const guidedSteps = ({ phases, state }: RunView): readonly string[] =>
  phases
    .flatMap(({ steps }) => steps)
    .flatMap(({ step, state: at }) =>
      step.kind === 'guided' && at?.is !== 'done'
        ? [`${step.title}${state.closed ? ' (the run was closed before anybody did)' : ''}: ${step.asks}`]
        : [],
    );

const soaks = (run: RunView): readonly string[] =>
  run.phases
    .flatMap(({ steps }) => steps)
    .flatMap(({ step, state }) =>
      step.kind === 'wait' && state?.is === 'intended' && !run.state.closed
        ? [`${step.title}: until ${stamp(state.since + step.forMs)} (${nameOf(run)})`]
        : [],
    );

function tellOwner(run: RunView, holdingOf: HoldingOf): string {
  const { owner, consumers } = holdingOf(run.state.opened.credential);
  const users = consumers.length === 0 ? '' : `; it is used by ${inWords(consumers)}`;
  return owner === undefined
    ? `Find out who owns ${nameOf(run)} and tell them; the inventory names nobody${users}`
    : `Tell ${owner}, who owns ${nameOf(run)}${users}`;
}
