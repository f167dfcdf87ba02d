import { html } from 'hono/html';
import type { StepState } from '../../core/journal.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import type { RunView } from '../../incident/view.ts';
import { type PlanStepWords, planWords, stepWords } from '../../incident/words/plan.ts';
import { oneLine } from '../../incident/words/text.ts';
import type { Html } from './html.ts';

/** What the run found out, and what it does about it, phase by phase, with what became of each step. */
export function planOf(run: RunView): Html {
  const states = new Map(run.phases.flatMap(({ steps }) => steps).map(({ step, state }) => [step.id, state]));
  const words = planWords(run);
  const ids = run.phases
    .filter(({ phase }) => phase !== 'assess')
    .flatMap(({ steps }) => steps.map(({ step }) => step.id));
  const stateOf = (step: PlanStepWords): StepState | undefined => states.get(ids[step.number - 1] ?? '');
  return html`${found(run)}
${words.phases.length === 0 ? html`<p>There is no plan yet: it is made from what the assessment finds.</p>` : html`<h3>Plan</h3>${words.undo === '' ? '' : html`<p>${words.undo}</p>`}`}
${words.phases.map(
  ({ heading, steps }) => html`
<h4>${oneLine(heading)}</h4>
<ol class="steps" start="${steps[0]?.number ?? 1}">${steps.map((step) => stepOf(step, run, stateOf(step)))}</ol>`,
)}`;
}

function stepOf(step: PlanStepWords, run: RunView, state: StepState | undefined): Html {
  const final = step.nature === 'cannot be undone';
  return html`
<li><span class="mark ${MARKS[step.mark]}" aria-hidden="true">${step.mark}</span>
<div><p class="title"><span class="num">${step.number}.</span> ${step.title} <span class="nature ${final ? 'final' : ''}">${final ? '⚠ ' : ''}${step.nature}</span></p>
<p class="became">${step.became === '' ? 'not begun' : step.became}</p>
${step.unavoidable === undefined ? '' : html`<p class="hint">No better way: ${step.unavoidable}</p>`}
${recorded(`rec-${run.id}-${step.number}`, state)}</div></li>`;
}

const MARKS: Record<PlanStepWords['mark'], string> = {
  '✓': 'good',
  '✗': 'bad',
  '?': 'bad',
  '…': 'wait',
  '·': 'none',
  '↩': 'wait',
};

/** The evidence that was taken before anything was touched. */
function found(run: RunView): Html {
  const steps = run.phases.filter(({ phase }) => phase === 'assess').flatMap((each) => each.steps);
  if (steps.length === 0) return html``;
  return html`<h3>Found out first</h3>
<ul class="steps">${steps.map(({ step, state }) => {
    const words = stepWords(step, state);
    return html`
<li><span class="mark ${MARKS[words.mark]}" aria-hidden="true">${words.mark}</span>
<div><p class="title">${words.title}</p><p class="became">${words.became === '' ? 'not begun' : words.became}</p>
${state?.is === 'done' ? facts(state.out) : ''}</div></li>`;
  })}</ul>`;
}

function recorded(id: string, state: StepState | undefined): Html {
  const before = state?.is === 'done' || state?.is === 'intended' ? state.before : null;
  const after = state?.is === 'done' ? state.out : null;
  if (before === null && after === null) return html``;
  return html`<details id="${id}"><summary>Before and after</summary>
${before === null ? '' : html`<p class="hint">Before</p>${facts(before)}`}${after === null ? '' : html`<p class="hint">After</p>${facts(after)}`}</details>`;
}

/** Enough for a person; the export holds all of it. */
const MOST = 400;

function facts(value: Json): Html {
  if (value === null) return html``;
  if (!isObject(value)) return html`<p class="fact">${plainly(value)}</p>`;
  const members = Object.entries(value);
  if (members.length === 0) return html``;
  return html`<dl class="recorded">${members.map(([key, member]) => html`<div><dt>${oneLine(key)}</dt><dd>${plainly(member)}</dd></div>`)}</dl>`;
}

function plainly(value: Json | undefined): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value) && value.length === 0) return 'none';
  const scalars = Array.isArray(value) && value.every((each: Json) => typeof each === 'string');
  const text = typeof value === 'string' ? value : scalars ? value.join(', ') : JSON.stringify(value);
  const line = oneLine(text);
  return line.length > MOST ? `${line.slice(0, MOST)}…` : line;
}

const isObject = (value: Json): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
