import type { Context } from '../interaction.ts';
import { type Message, tell } from '../text.ts';
import { approve } from './approve.ts';
import { type Command, firstWord } from './command.ts';
import { deny } from './deny.ts';
import { drill } from './drill.ts';
import { freeze } from './freeze.ts';
import { incidents } from './incidents.ts';
import { plan } from './plan.ts';
import { retry } from './retry.ts';
import { revoke } from './revoke.ts';
import { show } from './show.ts';
import { thaw } from './thaw.ts';
import { undo } from './undo.ts';

/** The slash command that holds all of them. */
export const SLASH = '/tq';

const help: Command = {
  name: 'help',
  usage: '',
  does: 'this list',
  run: async () =>
    tell(...COMMANDS.map(({ name, usage, does }) => `${[SLASH, name, usage].filter(Boolean).join(' ')}: ${does}`)),
};

export const COMMANDS: readonly Command[] = [
  revoke,
  plan,
  incidents,
  show,
  approve,
  deny,
  undo,
  retry,
  freeze,
  thaw,
  drill,
  help,
];

/** Does what was typed after `/tq`. A word that is no command is not repeated: it may be a key that lost its command. */
export async function runCommand(text: string, authn: string, context: Context): Promise<Message> {
  const [name, rest] = firstWord(text);
  const command = COMMANDS.find((each) => each.name === (name.toLowerCase() || 'help'));
  if (command) return command.run(rest, authn, context);
  return tell('That is not a command of Tourniquet, so nothing was done. “/tq help” lists them.');
}
