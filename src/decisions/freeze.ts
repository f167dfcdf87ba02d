import { actorOf } from '../policy/policy.ts';
import { readSwitches, writeFrozen } from '../store/settings.ts';
import { type Desk, personFor, refuse, type Said } from './desk.ts';

export interface FreezeRequest {
  readonly frozen: boolean;
  readonly authn: string;
  readonly why: string;
}

/** Stops (or lets go on) everything that changes anything at a provider. Alerts are still accepted and assessed. */
export async function setFrozen(desk: Desk, { frozen, authn, why }: FreezeRequest): Promise<Said> {
  const known = personFor(desk, authn, frozen ? 'freeze' : 'thaw');
  if ('refused' in known) return known.refused;
  if (why.trim() === '') return refuse('bad-request', 'Say why; the reason goes on record.');
  return desk.ledger.commit(async (tx, append) => {
    const switches = await readSwitches(tx);
    if (switches.frozen === frozen)
      return refuse('already', frozen ? 'Tourniquet is frozen already.' : 'Tourniquet is not frozen.');
    await writeFrozen(tx, frozen);
    const now = desk.clock.now();
    await tx.updateTable('run').set({ wake_at_ms: now.getTime() }).where('state', '=', 'open').execute();
    await tx
      .updateTable('incident')
      .set((row) => ({ revision: row('revision', '+', 1) }))
      .where('state', '=', 'open')
      .execute();
    append({
      type: 'decision',
      actor: actorOf(known.person, authn),
      decision: { is: frozen ? 'frozen' : 'thawed' },
      why,
    });
    const said = frozen
      ? 'Frozen. Tourniquet changes nothing at any provider until someone thaws it; alerts are still accepted and assessed.'
      : 'Thawed. Waiting runs go on.';
    return { ok: true, said };
  });
}
