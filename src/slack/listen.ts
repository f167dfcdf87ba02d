import type { App, BlockButtonAction, ViewSubmitAction } from '@slack/bolt';
import { BUTTONS, FORMS } from './actions/all.ts';
import { carried, FIELD } from './actions/form.ts';
import { buttonValue } from './buttons.ts';
import { runCommand, SLASH } from './commands/all.ts';
import { attend, type Context } from './interaction.ts';
import { tell } from './text.ts';

const OURS = /^tq\./;

/**
 * Hears commands, clicks and forms: acknowledges each at once, because Slack gives up after three seconds, and attends to it
 * afterwards. What it returns holds what is still being attended to.
 */
export function listen(app: App, context: Context): ReadonlySet<Promise<void>> {
  const underWay = new Set<Promise<void>>();
  const track = (work: Promise<void>): Promise<void> => {
    const tracked = work.finally(() => underWay.delete(tracked));
    underWay.add(tracked);
    return tracked;
  };

  app.command(SLASH, async ({ command, ack }) => {
    await ack();
    const { trigger_id, team_id, user_id: user, response_url: responseUrl, text } = command;
    const interaction = { id: `command:${trigger_id}`, teams: [team_id], user, responseUrl };
    await track(attend(context, interaction, (authn) => runCommand(text, authn, context)));
  });

  app.action<BlockButtonAction>({ type: 'block_actions', action_id: OURS }, async ({ ack, action, body }) => {
    await ack();
    const { action_id, action_ts, value: text } = action;
    const { user, team, trigger_id: trigger, response_url: responseUrl } = body;
    const id = `click:${action_ts}:${user.id}:${action_id}:${text ?? ''}`;
    const interaction = { id, teams: [team?.id, user.team_id], user: user.id, responseUrl };
    const work = attend(context, interaction, async (authn) => {
      const button = BUTTONS.find((each) => each.id === action_id);
      const value = buttonValue(text);
      if (!button || !value)
        return tell('This button was made by another version of Tourniquet. Use “/tq help” instead.');
      return button.run({ value, authn, trigger, responseUrl }, context);
    });
    await track(work);
  });

  app.view<ViewSubmitAction>({ type: 'view_submission', callback_id: OURS }, async ({ ack, view, body }) => {
    await ack();
    const { user, team, trigger_id } = body;
    const brought = carried(view.private_metadata);
    const form = FORMS.find((each) => each.id === view.callback_id);
    if (!brought || !form)
      return context.log.warn({}, 'Slack sent a form that this version does not make; it was ignored');
    const { value, responseUrl } = brought;
    const id = `form:${trigger_id}:${view.id}`;
    const interaction = { id, teams: [team?.id, user.team_id], user: user.id, responseUrl };
    const typed = view.state.values[FIELD.block]?.[FIELD.action]?.value ?? '';
    await track(attend(context, interaction, (authn) => form.run({ value, authn, typed }, context)));
  });

  return underWay;
}
