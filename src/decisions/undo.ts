import { lockOf } from '../core/credential.ts';
import { undoable } from '../core/undoing.ts';
import { reopen, touch, wake } from '../incident/rows.ts';
import { actorOf } from '../policy/policy.ts';
import { type Desk, personFor, refuse, type Said } from './desk.ts';
import { findRun } from './run.ts';

export interface UndoRequest {
  readonly run: string;
  readonly authn: string;
  /** Required: taking back a containment may re-arm a leaked credential, and the log must say why someone wanted that. */
  readonly why: string;
}

/**
 * Asks the engine to take back every reversible step of the run, last first, to the state recorded before each acted.
 * Triage will not act by itself on that credential again.
 */
export async function requestUndo(desk: Desk, { run, authn, why }: UndoRequest): Promise<Said> {
  const known = personFor(desk, authn, 'undo');
  if ('refused' in known) return known.refused;
  if (why.trim() === '') return refuse('bad-request', 'Say why it should be undone; the reason goes on record.');
  return desk.ledger.commit(async (tx, append) => {
    const found = await findRun(tx, run);
    if (!found) return refuse('not-found', 'There is no such run. Open the incident again for its current state.');
    const { row, ref, state } = found;
    if (state.undo && !state.undo.ended) return refuse('already', `${ref} is being undone already.`);
    const steps = undoable(state);
    if (steps.length === 0) {
      return refuse('nothing-to-undo', `Nothing of ${ref} can be taken back: no reversible step of it is in place.`);
    }
    const now = desk.clock.now();
    const lock = lockOf(state.opened.credential);
    if (row.state === 'closed' && !(await reopen(tx, { id: run, incident: row.incident, lock }, now))) {
      return refuse('locked', `Another run works on this credential now; ${ref} cannot be undone until it ends.`);
    }
    append({
      type: 'decision',
      actor: actorOf(known.person, authn),
      incident: row.incident,
      run,
      decision: { is: 'undo-requested', steps: steps.map((step) => step.id) },
      authority: { policySha256: desk.policy.sha256 },
      why,
    });
    await wake(tx, run, now);
    await touch(tx, row.incident);
    const said = `Undoing ${ref}: ${steps.map((step) => step.title).join('; ')}. Tourniquet will not act by itself on this credential again.`;
    return { ok: true, said, incident: row.incident };
  });
}
