import type { RunState } from '../../core/journal.ts';
import type { PlannedStep } from '../../core/plan.ts';
import { personFor } from '../../decisions/desk.ts';
import { answerStep } from '../../decisions/help.ts';
import { findRun } from '../../decisions/run.ts';
import { scrub } from '../../ingest/patterns.ts';
import { ACTIONS } from '../buttons.ts';
import { answered } from '../interaction.ts';
import { tell } from '../text.ts';
import type { Action, Form } from './action.ts';
import { form } from './form.ts';

export const answer: Action = {
  id: ACTIONS.answer,
  async run(click, { desk, client }) {
    const known = personFor(desk, click.authn, 'answer');
    if ('refused' in known) return answered(known.refused);
    const found = await desk.store.transaction((tx) => findRun(tx, click.value.run));
    const step = found && guidedStep(found.state, click.value.step);
    if (!step) return tell('This step is no longer asked for. The card shows how the incident stands now.');
    const view = form(ACTIONS.answer, click, {
      title: 'Answer',
      intro: `${step.title}: ${step.instructions}${step.link ? ` ${step.link}` : ''}`,
      asks: step.asks,
      submit: 'It is done',
    });
    await client.views.open({ trigger_id: click.trigger, view });
    return null;
  },
};

function guidedStep(state: RunState, id: string | undefined): Extract<PlannedStep, { kind: 'guided' }> | undefined {
  const steps = [state.assess, state.response].flatMap(
    (stage) => stage?.plan.phases.flatMap((each) => each.steps) ?? [],
  );
  const step = steps.find((each) => each.id === id);
  return step?.kind === 'guided' ? step : undefined;
}

export const answerForm: Form = {
  id: ACTIONS.answer,
  run: async ({ value, authn, typed }, { desk }) =>
    answered(await answerStep(desk, { run: value.run, step: value.step ?? '', answer: scrub(typed), authn })),
};
