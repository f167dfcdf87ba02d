import { personFor } from '../../decisions/desk.ts';
import { requestUndo } from '../../decisions/undo.ts';
import { scrub } from '../../ingest/patterns.ts';
import { ACTIONS } from '../buttons.ts';
import { answered } from '../interaction.ts';
import type { Action, Form } from './action.ts';
import { form } from './form.ts';

export const undo: Action = {
  id: ACTIONS.undo,
  async run(click, { desk, client }) {
    const known = personFor(desk, click.authn, 'undo');
    if ('refused' in known) return answered(known.refused);
    const view = form(ACTIONS.undo, click, {
      title: 'Undo',
      intro:
        'Everything that can be taken back is put back as it was before. A leaked credential may work again, for whoever holds it. Tourniquet will not act by itself on it again.',
      asks: 'Why? The reason goes on record.',
      submit: 'Undo',
    });
    await client.views.open({ trigger_id: click.trigger, view });
    return null;
  },
};

export const undoForm: Form = {
  id: ACTIONS.undo,
  run: async ({ value, authn, typed }, { desk }) =>
    answered(await requestUndo(desk, { run: value.run, authn, why: scrub(typed) })),
};
