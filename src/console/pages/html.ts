import { html } from 'hono/html';
import { oneLine, when } from '../../incident/words/text.ts';

/** Markup whose every inserted value was escaped by `hono/html`. */
export type Html = ReturnType<typeof html>;

/** A moment: how long ago, which the browser keeps counting, and the absolute time. */
export function moment(at: string | number, now: Date): Html {
  const iso = new Date(at).toISOString();
  const [ago, absolute] = when(iso, now).split(' · ');
  return html`<time datetime="${iso}"><span data-ago>${ago}</span> <span class="abs">${absolute}</span></time>`;
}

/** `label`, as a link where `url` is one of the web: an alert's author may have written anything there. */
export function outward(label: string, url: string | undefined): Html {
  const text = oneLine(label);
  if (url === undefined || !URL.canParse(url) || !['https:', 'http:'].includes(new URL(url).protocol)) {
    return html`<span>${text}</span>`;
  }
  return html`<a href="${url}" rel="noopener noreferrer nofollow">${text}</a>`;
}

/** A title as an alert wrote it: on one line, and no longer than a title. */
export function titleText(title: string): string {
  const line = oneLine(title);
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}

/** A part of a page that the browser replaces, as a whole, when something changed. `id` is unique in the page. */
export const region = (id: string, content: Html | readonly Html[], attributes: Html = html``): Html =>
  html`<div id="${id}" data-region ${attributes}>${content}</div>`;
