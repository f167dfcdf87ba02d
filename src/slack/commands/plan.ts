import { tell } from '../text.ts';
import { type Command, firstWord } from './command.ts';
import { withoutKey } from './revoke.ts';

export const plan: Command = {
  name: 'plan',
  usage: 'KEY',
  does: 'say what would be done about a credential, and do none of it',
  async run(text, authn, { services }) {
    const [word] = firstWord(text);
    const key = text.includes('-----BEGIN') ? text : word;
    if (key === '') return tell('Say which credential, for example: /tq plan KEY');
    const planned = await services.plan({ text: key, authn });
    if (!planned.ok) return tell(withoutKey(key, planned.message));
    return tell('This is what would be done; nothing was done:', ...planned.lines.map((line) => withoutKey(key, line)));
  },
};
