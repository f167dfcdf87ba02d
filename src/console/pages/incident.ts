import { html } from 'hono/html';
import type { LedgerHead } from '../../custody/ledger.ts';
import type { IncidentView, RunView } from '../../incident/view.ts';
import { sentenceOf, stepsIn } from '../../incident/words/sentence.ts';
import { standingWords } from '../../incident/words/standing.ts';
import { exposureWords } from '../../incident/words/terms.ts';
import { elapsed, inWords, oneLine } from '../../incident/words/text.ts';
import { actionId, actionsOf, isAsking } from './actions.ts';
import { custodyOf } from './custody.ts';
import { type Html, moment, outward, region, titleText } from './html.ts';
import { type Frame, page } from './layout.ts';
import type { Leaf } from './ledger.ts';
import { planOf } from './plan.ts';

/** One incident: how it stands, what waits for whom, what was and will be done, and the proof of it. */
export function incidentPage(frame: Frame, incident: IncidentView, head: LedgerHead, leaves: readonly Leaf[]): Html {
  const { ref, runs } = incident;
  const title = titleText(incident.title);
  const standings = runs.map(standingWords);
  const main = html`
<p class="ref">${ref}</p>
<h1>${title}</h1>
${region('headline', headline(incident, frame.now), html`data-says="${ref}: ${inWords([...new Set(standings)]) || 'told only'}"`)}
${region(
  'runs',
  runs.map(
    (run) => html`<section class="run" aria-labelledby="run-${run.id}-h">
<h2 id="run-${run.id}-h" tabindex="-1">${credentialOf(run)}</h2>
${milestones(run, incident, frame.now)}
${actionsOf(run, ref, frame)}
${planOf(run)}</section>`,
  ),
)}
${region('timeline', timeline(incident, frame.now))}
${region('custody', custodyOf(ref, head, leaves))}`;
  return page(frame, { title: `${ref} ${title}`, path: `/incidents/${ref}`, live: `/incidents/${ref}/live`, main });
}

const credentialOf = ({ state }: RunView): string => {
  const { kind, id } = state.opened.credential;
  return oneLine(`${kind} ${id}`);
};

const LOCATIONS_SHOWN = 20;

function headline(incident: IncidentView, now: Date): Html {
  const { findings, runs } = incident;
  const locations = findings.flatMap((each) => each.locations);
  const exposures = [...new Set(findings.map(({ exposure }) => exposureWords(exposure)))];
  const told = findings.filter(({ verdict }) => verdict === 'told');
  return html`
<ul class="standings">${
    runs.length === 0
      ? html`<li>Told only: Tourniquet does nothing about this by itself.</li>`
      : runs.map(
          (run) =>
            html`<li class="standing-line ${toneOf(run)}">${runs.length > 1 ? html`<span class="quiet">${credentialOf(run)}</span> ` : ''}<strong>${standingWords(run)}</strong>${isAsking(run) ? html` <a href="#${actionId(run)}">Go to the decision</a>` : ''}</li>`,
        )
  }</ul>
<dl class="facts">
<div><dt>Severity</dt><dd><span class="severity ${incident.severity}">${incident.severity}</span></dd></div>
<div><dt>State</dt><dd>${incident.state}</dd></div>
<div><dt>Leaked</dt><dd>${runs.length === 0 ? 'nothing that Tourniquet could identify' : inWords(runs.map(credentialOf))}</dd></div>
<div><dt>Exposure</dt><dd>${exposures.length === 0 ? 'not known' : inWords(exposures)}</dd></div>
<div><dt>Where</dt><dd>${locations.length === 0 ? 'not known' : html`<ul>${locations.slice(0, LOCATIONS_SHOWN).map(({ label, url }) => html`<li>${outward(label, url)}</li>`)}</ul>${locations.length > LOCATIONS_SHOWN ? html`<p>and ${locations.length - LOCATIONS_SHOWN} more, in the timeline's export</p>` : ''}`}</dd></div>
<div><dt>Opened</dt><dd>${moment(incident.openedAt, now)}</dd></div>
${incident.closedAt === null ? '' : html`<div><dt>Closed</dt><dd>${moment(incident.closedAt, now)}</dd></div>`}
${told.map(({ title, because }) => html`<div><dt>Told only</dt><dd>${oneLine(title)}: ${oneLine(because)}</dd></div>`)}
</dl>`;
}

function toneOf({ milestones: { contained }, standing }: RunView): 'good' | 'bad' {
  return contained !== undefined && standing !== 'undone' && standing !== 'needs-person' ? 'good' : 'bad';
}

/** Detected → contained → rotated → retired, each with how long it took since detection. */
function milestones({ milestones: times }: RunView, { findings, openedAt }: IncidentView, now: Date): Html {
  const detected = Math.min(...[openedAt, ...findings.map(({ detectedAt }) => detectedAt)].map(Date.parse));
  const marks: readonly (readonly [name: string, at: number | undefined])[] = [
    ['Detected', detected],
    ['Contained, verified at the provider', times.contained],
    ['Rotated', times.rotated],
    ['Retired', times.retired],
  ];
  return html`<ol class="milestones">${marks.map(
    ([name, at], index) => html`
<li class="${at === undefined ? 'ahead' : 'reached'}"><span class="milestone">${name}</span> ${
      at === undefined
        ? html`<span class="quiet">not yet</span>`
        : html`${moment(at, now)}${index === 0 ? '' : html` <span class="took">after ${elapsed(at - detected)}</span>`}`
    }</li>`,
  )}</ol>`;
}

const TIMELINE_SHOWN = 200;

function timeline({ entries }: IncidentView, now: Date): Html {
  const find = stepsIn(entries);
  const told = entries.flatMap((entry) => {
    const sentence = sentenceOf(entry, find);
    return sentence ? [{ entry, ...sentence }] : [];
  });
  return html`<section aria-labelledby="timeline-h"><h2 id="timeline-h">Timeline, newest first</h2>
${told.length > TIMELINE_SHOWN ? html`<p>The newest ${TIMELINE_SHOWN} of ${told.length}; the export holds them all.</p>` : ''}
<ol class="timeline" reversed>${told
    .slice(-TIMELINE_SHOWN)
    .reverse()
    .map(
      ({ entry, text, tone }) => html`
<li class="${tone}">${moment(entry.time.utc, now)} <span class="said">${text}</span> <span class="seq" title="Entry ${entry.seq} of the ledger">#${entry.seq}</span></li>`,
    )}</ol></section>`;
}
