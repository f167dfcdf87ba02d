import { spoken } from '../core/duration.ts';
import type { Entry } from '../core/entry.ts';
import { canonicalJson } from './canonical.ts';
import { describe } from './describe.ts';
import type { BundleFacts } from './manifest.ts';
import type { Hash } from './merkle.ts';

/** An entry with its leaf hash: what ties a line of the form to the log. */
export interface Witnessed {
  readonly entry: Entry;
  readonly leaf: Hash;
}

/** The chain-of-custody form: one self-contained page, no script, readable on screen and on paper. Everything is escaped. */
export function renderForm(facts: BundleFacts, entries: readonly Witnessed[]): string {
  const { log, scope } = facts;
  const title =
    scope.kind === 'incident' ? `Chain of custody of incident ${scope.incident}` : 'Chain of custody of a whole log';
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${esc(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${esc(title)}</h1>
${modeBanner(facts)}
<dl>
<dt>Log</dt><dd>${esc(log.origin)}</dd>
<dt>Entries in the log</dt><dd>${log.size}</dd>
<dt>Entries in this form</dt><dd>${entries.length}</dd>
<dt>Root hash of the log</dt><dd><code>${log.root}</code></dd>
<dt>Exported</dt><dd>${moment(facts.exportedAt)}</dd>
<dt>Written by</dt><dd>${esc(`${facts.tool.name} ${facts.tool.version}`)}, configuration <code>${esc(facts.tool.configSha256)}</code></dd>
</dl>
<p>This page is for reading. It is covered by the signature of the bundle it came in, but proof comes only from checking that bundle
as <code>VERIFY.md</code> says. Times are UTC and are those of the clock of the machine that wrote the log.</p>
${decisions(entries)}
${actions(entries)}
${timeline(entries)}
${hashes(entries)}
</main>
</body>
</html>
`;
}

function modeBanner({ mode }: BundleFacts): string {
  if (mode === 'live') return '';
  return `<p class="banner"><strong>Not a real incident.</strong> This log was written in ${mode} mode, against simulated providers.</p>`;
}

function decisions(entries: readonly Witnessed[]): string {
  const rows = entries.flatMap(({ entry }) => {
    if (entry.type !== 'approval' && (entry.type !== 'decision' || entry.actor.kind !== 'person')) return [];
    return [[String(entry.seq), who(entry), esc(describe(entry)), moment(entry.time.utc)]];
  });
  return section(
    'Who decided what',
    ['Entry', 'Person', 'Decision', 'When'],
    rows,
    'No person had to decide anything.',
  );
}

function actions(entries: readonly Witnessed[]): string {
  const intents = entries.map(({ entry }) => entry).filter((entry) => entry.type === 'intent');
  const results = entries.map(({ entry }) => entry).filter((entry) => entry.type === 'result');
  const rows = intents.map((intent) => {
    const result = results.findLast(
      ({ run, step, attempt }) => run === intent.run && step === intent.step && attempt === intent.attempt,
    );
    return [
      `${intent.seq}${result ? ` → ${result.seq}` : ''}`,
      `${esc(intent.step)}<br><code>${esc(intent.op)}</code>${intent.object ? `<br>${esc(`${intent.object.kind} ${intent.object.ref}`)}` : ''}`,
      intent.before === undefined ? '—' : `<code>${esc(canonicalJson(intent.before))}</code>`,
      result ? esc(result.outcome) : '<strong>no result recorded</strong>',
      result?.out === undefined ? '—' : `<code>${esc(canonicalJson(result.out))}</code>`,
      result?.requestIds ? result.requestIds.map((id) => `<code>${esc(id)}</code>`).join('<br>') : '—',
    ];
  });
  const columns = ['Entries', 'Action', 'Before', 'Outcome', 'After', "Provider's request ids"];
  return section('What was done', columns, rows, 'Nothing was done at any provider.');
}

function timeline(entries: readonly Witnessed[]): string {
  const start = Date.parse(entries[0]?.entry.time.utc ?? '');
  const rows = entries.map(({ entry }) => [
    String(entry.seq),
    `+${spoken(Math.max(0, Date.parse(entry.time.utc) - start))}<br>${moment(entry.time.utc)}`,
    who(entry),
    `${esc(describe(entry))}${entry.why ? `<br><em>${esc(entry.why)}</em>` : ''}`,
  ]);
  return section('What happened', ['Entry', 'When', 'Who', 'What'], rows, 'The log is empty.');
}

function hashes(entries: readonly Witnessed[]): string {
  const rows = entries.map(({ entry, leaf }) => [
    String(entry.seq),
    `<code>${esc(entry.id)}</code>`,
    `<code>${leaf}</code>`,
  ]);
  return section('Hashes', ['Entry', 'Id', 'Leaf hash (RFC 6962, SHA-256)'], rows, 'The log is empty.');
}

/** Cells are HTML already. */
function section(
  title: string,
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  none: string,
): string {
  if (rows.length === 0) return `<section><h2>${title}</h2><p>${none}</p></section>`;
  const head = columns.map((column) => `<th scope="col">${column}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('\n');
  return `<section><h2>${title}</h2>
<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>
${body}
</tbody></table></div></section>`;
}

const who = ({ actor }: Entry): string =>
  `${esc(actor.id)}<br><small>${esc(`${actor.kind}, known by ${actor.authn}`)}</small>`;
const moment = (utc: string): string =>
  `<time datetime="${esc(utc)}">${esc(utc.replace('T', ' ').replace('Z', ' UTC'))}</time>`;

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** Also shows control characters and direction overrides instead of obeying them: a commit message must not reorder the page. */
const esc = (text: string): string =>
  text
    .replace(/[&<>"']/g, (char) => ENTITIES[char] ?? '')
    .replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, (char) => `[U+${codePoint(char)}]`);
const codePoint = (char: string): string => (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');

const STYLE = `
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d0d7de;--paper:#fff;--tint:#f6f8fa;--warn:#9a6700}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--line:#30363d;--paper:#0d1117;--tint:#161b22;--warn:#d29922}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}
main{max-width:72rem;margin:0 auto;padding:2rem 1rem}
h1{font-size:1.6rem;margin:0 0 1rem}h2{font-size:1.15rem;margin:2rem 0 .5rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.5rem;margin:0 0 1rem}dt{color:var(--soft)}dd{margin:0}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid var(--line)}
th{background:var(--tint);font-weight:600}
code{font:.85em ui-monospace,monospace;overflow-wrap:anywhere}small,em{color:var(--soft)}
time{white-space:nowrap}
.banner{border:2px solid var(--warn);padding:.6rem 1rem}
@media (max-width:40rem){dl{grid-template-columns:1fr}dd{overflow-wrap:anywhere;margin-bottom:.5rem}}
@media print{:root{--ink:#000;--soft:#333;--line:#999;--paper:#fff;--tint:#eee}body{font-size:10pt}main{max-width:none;padding:0}tr{break-inside:avoid}thead{display:table-header-group}.wide{overflow:visible}}
`;
