import { requestUndo } from '../../decisions/undo.ts';
import { scrub } from '../../ingest/patterns.ts';
import { tell } from '../text.ts';
import { type Command, firstWord } from './command.ts';
import { findIncident } from './find.ts';
import { forEachRun } from './runs.ts';

export const undo: Command = {
  name: 'undo',
  usage: 'INC-n why',
  does: 'take back what can be taken back; say why',
  async run(text, authn, context) {
    const [name, why] = firstWord(text);
    const found = await findIncident(context, name, authn, '/tq undo INC-12 it was a test key');
    if ('refused' in found) return found.refused;
    if (why === '') return tell(`Say why: /tq undo ${found.view.ref} it was a test key. The reason goes on record.`);
    return forEachRun(
      found.view.runs.filter((run) => run.undoable.length > 0),
      `Nothing of ${found.view.ref} can be taken back: no reversible step of it is in place.`,
      (run) => requestUndo(context.desk, { run: run.id, authn, why: scrub(why) }),
    );
  },
};
