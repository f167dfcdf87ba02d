import { createHash } from 'node:crypto';
import { stamp } from '../incident/words/text.ts';
import type { Report } from './report.ts';
import { STYLE } from './style.ts';

/** Nothing may run or be fetched; the one style sheet is named by its hash (CSP Level 3, §2.3.1). */
const CSP = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The report as one self-contained page for screen, dark screen and paper: no script, nothing fetched, everything escaped. */
export function toHtml(report: Report): string {
  const { proof } = report;
  const title = `${report.ref}: ${report.title}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${esc(CSP)}">
<meta name="referrer" content="no-referrer">
<title>${esc(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the report</a>
<main id="main">
<header>
<p class="ref">${esc(report.ref)} · post-incident report</p>
<h1>${esc(report.title)}</h1>
${report.mode === 'live' ? '' : `<p class="banner"><strong>Not a real incident.</strong> This was a ${esc(report.mode)}, against simulated providers.</p>`}
<p class="lead">${report.summary.map(esc).join(' ')}</p>
<p class="quiet">Drafted from the ledger at ${moment(report.draftedAt)}. Add what no ledger knows: why it could happen, and what will keep it from happening again.</p>
</header>
${section('Impact', impact(report))}
${section(
  'Times',
  table(
    'Times',
    ['Span', 'Measured', 'Took'],
    report.times.map((each) => [esc(each.name), esc(each.meaning), `<strong>${esc(each.value)}</strong>`]),
  ),
)}
${section(
  'Follow-ups',
  report.followUps.length === 0
    ? '<p>None.</p>'
    : `<ul class="checks">${report.followUps.map((each) => `<li><span aria-hidden="true" class="box"></span>${esc(each)}</li>`).join('\n')}</ul>`,
)}
${section(
  'Timeline',
  table(
    'Timeline',
    ['Since detection', 'UTC', 'What happened', 'Entry'],
    report.timeline.map(({ after, at, text, tone, seq }) => [
      esc(after),
      moment(at),
      `<span class="${tone}">${MARK[tone]} ${esc(text)}</span>`,
      `#${seq}`,
    ]),
  ),
)}
${section(
  'Who decided what',
  report.decisions.length === 0
    ? '<p>No person had to decide anything.</p>'
    : table(
        'Decisions',
        ['UTC', 'Who', 'Known by', 'Decision', 'Entry'],
        report.decisions.map(({ at, who, known, text, seq }) => [
          moment(at),
          esc(who),
          esc(known),
          esc(text),
          `#${seq}`,
        ]),
      ),
)}
${section('What cannot be undone', list(report.irreversible.map(forGood), 'Nothing was done that cannot be taken back.'))}
${section(
  'What did not go well at once',
  list(
    report.troubles.map(({ title, what, ended }) => `${esc(title)}: ${esc(what)}; <strong>${esc(ended)}</strong>`),
    'Every step went well at the first attempt.',
  ),
)}
${section(
  'What was taken back',
  list(
    report.undone.map(({ title, became }) => `${esc(title)}: ${esc(became)}`),
    'Nothing was taken back.',
  ),
)}
${section(
  'How to verify this',
  `<p>This draft proves nothing by itself. Its ${proof.entries} entries stand in the log ${esc(proof.origin)}, which held ${proof.size} entries with root hash <code>${esc(proof.root)}</code> when this was drafted. Check them offline:</p>
<pre tabindex="0" role="region" aria-label="Commands"><code>${proof.commands.map(esc).join('\n')}</code></pre>`,
)}
</main>
</body>
</html>
`;
}

const MARK = { info: '·', good: '✓', bad: '!', wait: '…' } as const;

function impact({ severity, exposure, locations, credentials }: Report): string {
  const where = locations.map(({ label, url }) => `<dd>${linked(label, url)}</dd>`).join('') || '<dd>not known</dd>';
  const each = credentials.map(
    ({ name, standing, facts }) => `<h3>${esc(name)}</h3>
<p>${esc(standing)}.</p>
${facts.length === 0 ? '<p>Nothing was found out about it.</p>' : `<dl>${facts.map(({ read, found }) => `<dt>${esc(read)}</dt><dd>${esc(found)}</dd>`).join('\n')}</dl>`}`,
  );
  return `<dl><dt>Severity</dt><dd>${esc(severity)}</dd>
<dt>Exposure</dt><dd>${esc(exposure)}</dd>
<dt>Where</dt>${where}</dl>
${each.join('\n')}`;
}

function forGood({ title, at, unavoidable }: Report['irreversible'][number]): string {
  const when = at === null ? '<strong>not known whether it took effect</strong>' : moment(at);
  return `${esc(title)}, ${when}${unavoidable === undefined ? '' : `. Unavoidable: ${esc(unavoidable)}`}`;
}

/** `title` is ours; `content` is HTML already. */
const section = (title: string, content: string): string => `<section><h2>${title}</h2>${content}</section>`;

const list = (items: readonly string[], none: string): string =>
  items.length === 0 ? `<p>${none}</p>` : `<ul>${items.map((item) => `<li>${item}</li>`).join('\n')}</ul>`;

/** Cells are HTML already. A table wider than the screen scrolls in a region of its own, also by keyboard. */
function table(name: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('\n');
  return `<div class="wide" role="region" aria-label="${name}" tabindex="0"><table><thead><tr>${head.map((each) => `<th scope="col">${each}</th>`).join('')}</tr></thead><tbody>
${cells}
</tbody></table></div>`;
}

const moment = (iso: string): string => `<time datetime="${esc(iso)}">${esc(stamp(Date.parse(iso)))}</time>`;

/** A link where `url` is one of the web; the label alone where it is not. */
function linked(label: string, url: string | undefined): string {
  if (url === undefined || !URL.canParse(url)) return esc(label);
  const { protocol, href } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return esc(label);
  return `<a href="${esc(href)}" rel="noopener noreferrer nofollow">${esc(label)}</a>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const esc = (text: string): string => text.replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '');
