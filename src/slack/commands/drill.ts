import { answered } from '../interaction.ts';
import { tell } from '../text.ts';
import { type Command, firstWord } from './command.ts';

export const drill: Command = {
  name: 'drill',
  usage: 'NAME',
  does: 'rehearse an incident against simulated providers',
  async run(text, authn, { services }) {
    const [scenario] = firstWord(text);
    if (scenario === '') return tell('Say which drill, for example: /tq drill leaked-key');
    return answered(await services.drill({ scenario, authn }));
  },
};
