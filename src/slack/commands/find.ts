import { personFor } from '../../decisions/desk.ts';
import { type IncidentView, readIncident } from '../../incident/view.ts';
import { answered, type Context } from '../interaction.ts';
import { type Message, tell } from '../text.ts';

/** The incident that a person named, if they may see it; else what to tell them. */
export async function findIncident(
  { desk }: Context,
  name: string,
  authn: string,
  usage: string,
): Promise<{ readonly view: IncidentView } | { readonly refused: Message }> {
  const known = personFor(desk, authn, 'view');
  if ('refused' in known) return { refused: answered(known.refused) };
  if (!/^(?:inc-)?\d{1,9}$/i.test(name)) return { refused: tell(`Say which incident, for example: ${usage}`) };
  const view = await readIncident(desk.store.db, name, desk.clock.now());
  if (view) return { view };
  return { refused: tell(`There is no incident ${name.toUpperCase()}. “/tq incidents” lists the open ones.`) };
}
