import { html } from 'hono/html';
import type { Awaited } from '../../core/action.ts';
import type { RunView } from '../../incident/view.ts';
import { approvalWords } from '../../incident/words/terms.ts';
import { inWords, oneLine } from '../../incident/words/text.ts';
import { button, hidden, reason } from './fields.ts';
import { type Html, outward } from './html.ts';
import type { Frame } from './layout.ts';

/** Where the box stands that asks people for something. */
export const actionId = (run: RunView): string => `act-${run.id}-h`;

/** Whether there is such a box. */
export const isAsking = ({ action }: RunView): boolean => action.do === 'await' && action.what.need !== 'thaw';

/** What this person can decide about the run now; where they cannot, why and who can. */
export function actionsOf(run: RunView, ref: string, frame: Frame): Html {
  const { action } = run;
  const asked = action.do === 'await' ? awaited(action.what, run, ref, frame) : html``;
  return html`${asked}${undoOf(run, ref, frame)}`;
}

function awaited(what: Awaited, run: RunView, ref: string, frame: Frame): Html {
  switch (what.need) {
    case 'approval':
      return approval(what, run, ref, frame);
    case 'answer':
      return answer(what.step, run, ref, frame);
    case 'help':
      return retry(run, ref, frame);
    case 'thaw':
      return html``;
  }
}

function approval(rule: Extract<Awaited, { need: 'approval' }>, run: RunView, ref: string, frame: Frame): Html {
  const { visitor } = frame;
  const plan = run.planSha256 ?? '';
  const final = run.phases
    .filter(({ phase }) => rule.phases.includes(phase))
    .flatMap(({ steps }) => steps)
    .filter(({ step }) => step.kind === 'call' && step.effect === 'irreversible');
  const why = whyNot(run, frame);
  const form =
    why === null
      ? opening(
          'verdict',
          run,
          ref,
          html`${hidden(visitor, { run: run.id, plan })}
${reason({ id: `verdict-${run.id}`, label: 'Reason', required: false, value: typedIn(frame, 'verdict', run) })}
<p class="buttons">${button('Approve', { name: 'act', value: 'approve', id: `approve-${run.id}`, tone: 'main' })} ${button('Deny', { name: 'act', value: 'deny', id: `deny-${run.id}`, tone: 'danger' })}</p>
<p class="hint">You decide on exactly this plan: <code>${plan.slice(0, 16)}…</code></p>`,
        )
      : html`<p>${why}</p>`;
  return box(
    run,
    `Needs ${approvalWords(rule)}`,
    html`<p>Why: ${oneLine(rule.because)}. To begin: ${inWords(rule.phases)}.</p>
${final.length === 0 ? '' : html`<p class="final"><strong>Cannot be undone:</strong> ${final.map(({ step }) => oneLine(step.title)).join('; ')}.</p>`}
${form}`,
    html`data-plan="${plan}"`,
  );
}

/** Why this person's verdict would be refused; null when it would not. */
function whyNot({ state, planSha256 }: RunView, { visitor }: Frame): string | null {
  const { id } = visitor.person;
  if (!visitor.may('approve') && !visitor.may('deny')) return 'You may not decide this yourself; the people above can.';
  if (state.opened.requestedBy === id) return 'You asked for this yourself; someone else must approve it.';
  if (state.approvals.some((each) => each.by.id === id && each.planSha256 === planSha256))
    return 'You have approved this; it waits for someone else.';
  return null;
}

function answer(stepId: string, run: RunView, ref: string, frame: Frame): Html {
  const step = run.phases.flatMap(({ steps }) => steps).find((each) => each.step.id === stepId)?.step;
  if (step?.kind !== 'guided') return html``;
  const form = frame.visitor.may('answer')
    ? opening(
        'answer',
        run,
        ref,
        html`${hidden(frame.visitor, { run: run.id, step: stepId })}
${reason({ id: `answer-${run.id}`, label: oneLine(step.asks), required: true, value: typedIn(frame, 'answer', run) })}
<p class="buttons">${button('It is done', { name: 'act', value: 'answer', id: `answered-${run.id}`, tone: 'main' })}</p>`,
      )
    : html`<p>You may not answer this; ask a responder.</p>`;
  return box(
    run,
    `By hand: ${oneLine(step.title)}`,
    html`<p class="instructions">${step.instructions}</p>${step.link === undefined ? '' : html`<p>${outward(step.link, step.link)}</p>`}${form}`,
  );
}

function retry(run: RunView, ref: string, frame: Frame): Html {
  const form = frame.visitor.may('retry')
    ? opening(
        'retry',
        run,
        ref,
        html`${hidden(frame.visitor, { run: run.id })}<p class="buttons">${button('Try again', { name: 'act', value: 'retry', id: `retry-${run.id}`, tone: 'main' })}</p>`,
      )
    : html`<p>You may not ask for that; ask a responder.</p>`;
  return box(
    run,
    'Stuck: a person must look',
    html`<p>Look at the steps marked ✗ or ? below, put right what they say, then try again. What is in doubt is asked of the provider before anything is done twice.</p>${form}`,
  );
}

function undoOf(run: RunView, ref: string, frame: Frame): Html {
  const underWay = run.state.undo !== undefined && run.state.undo.ended === undefined;
  if (run.undoable.length === 0 || underWay || !frame.visitor.may('undo')) return html``;
  const typed = typedIn(frame, 'undo', run);
  return html`<details class="box" id="undo-d-${run.id}" ${typed === '' ? '' : 'open'}><summary>Undo…</summary>
<p>Taken back, in this order, to the state recorded before each step:</p>
<ol>${run.undoable.map((title) => html`<li>${oneLine(title)}</li>`)}</ol>
<p class="final"><strong>The leaked credential may work again.</strong> Tourniquet will not act by itself on it after that.</p>
${opening(
  'undo',
  run,
  ref,
  html`${hidden(frame.visitor, { run: run.id })}
${reason({ id: `undo-${run.id}`, label: 'Why it should be undone', required: true, value: typed })}
<p class="buttons">${button('Undo these steps', { name: 'act', value: 'undo', id: `undone-${run.id}`, tone: 'danger' })}</p>`,
)}</details>`;
}

const opening = (name: string, run: RunView, ref: string, fields: Html): Html =>
  html`<form method="post" action="/incidents/${ref}" id="${name}-form-${run.id}">${fields}</form>`;

const box = (run: RunView, heading: string, content: Html, attributes: Html = html``): Html =>
  html`<section class="box asks" aria-labelledby="${actionId(run)}" ${attributes}><h3 id="${actionId(run)}" tabindex="-1">${heading}</h3>${content}</section>`;

const typedIn = ({ typed }: Frame, form: string, run: RunView): string =>
  typed?.form === `${form}:${run.id}` ? typed.text : '';
