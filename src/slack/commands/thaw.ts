import { setFrozen } from '../../decisions/freeze.ts';
import { scrub } from '../../ingest/patterns.ts';
import { answered } from '../interaction.ts';
import { tell } from '../text.ts';
import type { Command } from './command.ts';

export const thaw: Command = {
  name: 'thaw',
  usage: 'why',
  does: 'let waiting work go on after a freeze; say why',
  async run(text, authn, { desk }) {
    const why = scrub(text.trim());
    if (why === '') return tell('Say why: /tq thaw the provider is back. The reason goes on record.');
    return answered(await setFrozen(desk, { frozen: false, authn, why }));
  },
};
