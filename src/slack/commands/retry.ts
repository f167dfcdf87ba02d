import { requestRetry } from '../../decisions/help.ts';
import { type Command, firstWord } from './command.ts';
import { findIncident } from './find.ts';
import { forEachRun } from './runs.ts';

export const retry: Command = {
  name: 'retry',
  usage: 'INC-n',
  does: 'try again what failed',
  async run(text, authn, context) {
    const [name] = firstWord(text);
    const found = await findIncident(context, name, authn, '/tq retry INC-12');
    if ('refused' in found) return found.refused;
    return forEachRun(
      found.view.runs.filter((run) => run.standing === 'needs-person'),
      `${found.view.ref} is not stuck; there is nothing to try again.`,
      (run) => requestRetry(context.desk, { run: run.id, authn }),
    );
  },
};
