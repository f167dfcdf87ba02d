import { html } from 'hono/html';
import { MOST_TEXT } from '../form.ts';
import type { Html } from './html.ts';
import type { Visitor } from './layout.ts';

export const hidden = ({ formToken }: Visitor, fields: Readonly<Record<string, string>>): Html =>
  html`<input type="hidden" name="token" value="${formToken}">${Object.entries(fields).map(
    ([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`,
  )}`;

export interface ReasonField {
  readonly id: string;
  readonly label: string;
  readonly required: boolean;
  readonly value: string;
}

/** Several lines, so that Enter never sends a decision. */
export const reason = ({ id, label, required, value }: ReasonField): Html => html`<p class="field">
<label for="${id}">${label} <span class="hint">(${required ? 'required' : 'optional'}; goes on record)</span></label>
<textarea id="${id}" name="text" rows="2" maxlength="${MOST_TEXT}" autocomplete="off" ${required ? 'required' : ''}>${value}</textarea>
</p>`;

export interface ButtonLook {
  readonly name: string;
  readonly value: string;
  readonly id?: string;
  readonly tone: 'main' | 'plain' | 'danger';
}

export const button = (label: string, { name, value, id, tone }: ButtonLook): Html =>
  html`<button class="${tone}" name="${name}" value="${value}" ${id === undefined ? '' : html`id="${id}"`}>${label}</button>`;
