import type { RunView } from '../view.ts';
import { approvalWords, nameless } from './terms.ts';
import { inWords, oneLine, stamp, tail } from './text.ts';

/** How the run stands, what it waits for, and above all whether the credential is contained. */
export function standingWords(run: RunView): string {
  const contained = run.milestones.contained !== undefined ? 'Contained' : 'NOT contained';
  const { action, state } = run;
  switch (run.standing) {
    case 'assessing':
      return 'Not contained yet; finding out what the credential can do and who uses it';
    case 'containing':
      return run.milestones.contained === undefined ? 'Not contained yet; containing now' : 'Contained';
    case 'contained':
      return state.closed ? 'Contained; closed without retiring the credential' : 'Contained';
    case 'rotating':
      return `${contained}; giving its users a replacement`;
    case 'soaking': {
      const until = action.do === 'sleep' ? ` until ${stamp(action.until)}` : '';
      return `${contained}; waiting${until} before it is retired for good`;
    }
    case 'retiring':
      return `${contained}; retiring the credential for good`;
    case 'retired':
      return 'Retired: contained, replaced and dead for good';
    case 'waiting-approval':
      return action.do === 'await' && action.what.need === 'approval'
        ? `${contained}; waiting for ${approvalWords(action.what)}`
        : `${contained}; waiting for approval`;
    case 'waiting-answer':
      return `${contained}; waiting for a person to do ${quoted(run, action.do === 'await' && action.what.need === 'answer' ? [action.what.step] : [])}`;
    case 'needs-person':
      return `${contained}; stuck at ${quoted(run, action.do === 'await' && action.what.need === 'help' ? action.what.steps : [])}; a person must look`;
    case 'frozen':
      return `${contained}; frozen: nothing is changed at any provider until someone thaws Tourniquet`;
    case 'undoing':
      return 'Being undone: what was changed is being taken back';
    case 'undone':
      return state.undo?.ended?.ok
        ? 'UNDONE: the credential may work again'
        : 'UNDONE IN PART: some of what was changed is still in place';
    case 'denied':
      return 'NOT contained; denied by a person, so nothing more is done';
    case 'closed':
      return `${contained}; closed${tail(state.closed?.because)}`;
  }
}

const quoted = (run: RunView, ids: readonly string[]): string => {
  const titles = run.phases.flatMap((each) => each.steps).filter(({ step }) => ids.includes(step.id));
  return inWords(
    titles.length === 0 ? ids.map((id) => `“${nameless(id)}”`) : titles.map(({ step }) => `“${oneLine(step.title)}”`),
  );
};
