import { scrub } from '../../ingest/patterns.ts';
import { tell } from '../text.ts';
import { type Command, firstWord } from './command.ts';

export const revoke: Command = {
  name: 'revoke',
  usage: 'KEY [why]',
  does: 'contain a credential now: an access key id, a token, or what else names it',
  async run(text, authn, { services }) {
    // A private key is many words; it is all key and no reason.
    const [key, why] = text.includes('-----BEGIN') ? [text, ''] : firstWord(text);
    if (key === '') return tell('Say which credential, for example: /tq revoke KEY found in a public gist');
    const reason = scrub(withoutKey(key, why));
    const said = await services.revoke({ text: key, authn, why: reason || 'no reason was given in Slack' });
    return tell(withoutKey(key, said.ok ? said.said : said.message));
  },
};

/** What was typed as the key may be the secret itself; whoever answers must not repeat it, whatever it says. */
export const withoutKey = (key: string, text: string): string =>
  key.length < 8 ? text : text.replaceAll(key, 'the credential you named');
