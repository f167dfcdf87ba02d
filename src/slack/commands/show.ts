import { card } from '../card.ts';
import { type Command, firstWord } from './command.ts';
import { findIncident } from './find.ts';

export const show: Command = {
  name: 'show',
  usage: 'INC-n',
  does: 'show an incident to you alone, as it is now',
  async run(text, authn, context) {
    const [name] = firstWord(text);
    const found = await findIncident(context, name, authn, '/tq show INC-12');
    return 'refused' in found ? found.refused : card(found.view, context.pageOf);
  },
};
