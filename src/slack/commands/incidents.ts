import { personFor } from '../../decisions/desk.ts';
import { listIncidents } from '../../incident/view.ts';
import { when } from '../../incident/words/text.ts';
import { answered } from '../interaction.ts';
import { tell } from '../text.ts';
import type { Command } from './command.ts';

const SHOWN = 20;

export const incidents: Command = {
  name: 'incidents',
  usage: '',
  does: 'list the open incidents',
  async run(_text, authn, { desk }) {
    const known = personFor(desk, authn, 'view');
    if ('refused' in known) return answered(known.refused);
    const found = await listIncidents(desk.store.db, { limit: SHOWN + 1, open: true });
    if (found.length === 0) return tell('No incident is open.');
    const now = desk.clock.now();
    const lines = found.slice(0, SHOWN).map(({ ref, severity, title, standings, openedAt }) => {
      const standing = standings.length === 0 ? 'told only' : [...new Set(standings)].join(', ');
      return `${ref} · ${severity} · ${standing} · ${title} · opened ${when(openedAt, now)}`;
    });
    return tell(...lines, ...(found.length > SHOWN ? [`Older ones are not shown; only the newest ${SHOWN} are.`] : []));
  },
};
