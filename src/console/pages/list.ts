import { html } from 'hono/html';
import type { Standing } from '../../core/standing.ts';
import type { IncidentLine } from '../../incident/view.ts';
import { freezeControl } from './freeze.ts';
import { type Html, moment, region, titleText } from './html.ts';
import { type Frame, page } from './layout.ts';

/** Every incident, open ones first. */
export function listPage(frame: Frame, incidents: readonly IncidentLine[]): Html {
  const { open = [], closed = [] } = Object.groupBy(incidents, ({ state }) => state);
  const lists =
    incidents.length === 0
      ? nothing(frame)
      : html`
<section aria-labelledby="open-h"><h2 id="open-h">Open <span class="count">${open.length}</span></h2>
${open.length === 0 ? html`<p>No incident is open.</p>` : lines(open, frame.now)}</section>
${closed.length === 0 ? '' : html`<section aria-labelledby="closed-h"><h2 id="closed-h">Closed <span class="count">${closed.length}</span></h2>${lines(closed, frame.now)}</section>`}`;
  const main = html`<h1>Incidents</h1>
${region('incidents', lists, html`data-says="${open.length} open"`)}
${region('freeze', frame.frozen ? html`` : freezeControl(frame))}`;
  return page(frame, { title: `${open.length} open · Incidents`, path: '/', live: '/live', main });
}

const lines = (incidents: readonly IncidentLine[], now: Date): Html =>
  html`<ul class="incidents">${incidents.map(
    (each) => html`
<li><a href="/incidents/${each.ref}" id="a-${each.ref}"><span class="ref">${each.ref}</span> <span class="name">${titleText(each.title)}</span></a>
<p class="facts"><span class="severity ${each.severity}">${each.severity}</span>
${standings(each.standings).map((words) => html`<span class="standing">${words}</span>`)}
<span class="quiet">opened ${moment(each.openedAt, now)}</span></p></li>`,
  )}</ul>`;

function standings(all: readonly string[]): readonly string[] {
  if (all.length === 0) return ['told only, nothing to do'];
  return [...Map.groupBy(all, (each) => each)].map(([standing, runs]) => {
    const words = SHORT.get(standing) ?? standing;
    return runs.length === 1 ? words : `${runs.length} × ${words}`;
  });
}

const WORDS: Record<Standing, string> = {
  assessing: 'assessing',
  containing: 'containing now',
  contained: 'contained',
  rotating: 'contained, rotating',
  soaking: 'waiting before retirement',
  retiring: 'retiring',
  retired: 'retired',
  'waiting-approval': 'waits for approval',
  'waiting-answer': 'waits for a person to do a step',
  'needs-person': 'stuck, a person must look',
  frozen: 'frozen',
  undoing: 'being undone',
  undone: 'undone',
  denied: 'denied',
  closed: 'closed',
};
const SHORT: ReadonlyMap<string, string> = new Map(Object.entries(WORDS));

function nothing({ mode }: Frame): Html {
  const next =
    mode === 'live'
      ? html`<p>To be sure that Tourniquet would hear of a leak, run <code>npx tourniquet doctor</code>: it asks every provider and every alert source. To see it work without touching anything real, run <code>npx tourniquet drill</code>.</p>`
      : html`<p>To see Tourniquet work, start a drill with <code>npx tourniquet drill</code>, or send an alert to <code>/webhooks/generic</code>. This page shows it as it arrives.</p>`;
  return html`<section class="empty" aria-labelledby="empty-h"><h2 id="empty-h">No incidents</h2><p>Nothing has leaked, as far as Tourniquet was told.</p>${next}</section>`;
}
