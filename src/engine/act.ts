import type { Action } from '../core/action.ts';
import { callMutation, callReads, type Moved, probe } from './call.ts';
import { confirm } from './confirm.ts';
import { type Engine, record, type Session } from './session.ts';
import { undoStep } from './undo.ts';

/** Does what `next` decided. Throws Superseded when the run was taken over, or people decided something, meanwhile. */
export async function act(
  engine: Engine,
  session: Session,
  action: Action,
): Promise<Moved | { readonly rest: number | null }> {
  switch (action.do) {
    case 'call': {
      const [first] = action.calls;
      if (!first) return { rest: null };
      return first.step.effect === 'observe'
        ? callReads(engine, session, action.phase, action.calls)
        : callMutation(engine, session, action.phase, first);
    }
    case 'probe':
      return probe(engine, session, action);
    case 'confirm':
      return action.since === null ? { session: await record(engine, session, []) } : confirm(engine, session, action);
    case 'undo':
      return undoStep(engine, session, action);
    case 'plan':
    case 'begin':
    case 'start-wait':
    case 'pass':
    case 'end':
    case 'end-undo':
    case 'close':
      return { session: await record(engine, session, []) }; // which follows from the journal alone
    case 'sleep':
      return { rest: action.until };
    case 'await':
    case 'rest':
      return { rest: null };
  }
}
