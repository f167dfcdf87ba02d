import { setFrozen } from '../../decisions/freeze.ts';
import { scrub } from '../../ingest/patterns.ts';
import { answered } from '../interaction.ts';
import { tell } from '../text.ts';
import type { Command } from './command.ts';

export const freeze: Command = {
  name: 'freeze',
  usage: 'why',
  does: 'change nothing at any provider until someone thaws; say why',
  async run(text, authn, { desk }) {
    const why = scrub(text.trim());
    if (why === '') return tell('Say why: /tq freeze the provider is down. The reason goes on record.');
    return answered(await setFrozen(desk, { frozen: true, authn, why }));
  },
};
