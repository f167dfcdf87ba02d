import { stamp } from '../incident/words/text.ts';
import type { Report } from './report.ts';

/** The report in GitHub-flavoured Markdown (GFM 0.29). What strangers wrote stays text: it makes no link, picture, list or mark-up. */
export function toMarkdown(report: Report): string {
  const { proof } = report;
  const parts = [
    `# ${md(`${report.ref}: ${report.title}`)}`,
    ...(report.mode === 'live'
      ? []
      : [`> **Not a real incident.** This was a ${report.mode}, against simulated providers.`]),
    `Post-incident report, drafted from the ledger at ${stampOf(report.draftedAt)}. Add what no ledger knows: why it could happen, and what will keep it from happening again.`,
    '## Summary',
    report.summary.map(md).join(' '),
    '## Impact',
    bullets([
      `**Severity:** ${md(report.severity)}`,
      `**Exposure:** ${md(report.exposure)}`,
      ...report.locations.map(({ label, url }) => `**Where:** ${linked(label, url)}`),
    ]),
    ...report.credentials.flatMap(({ name, standing, facts }) => [
      `### ${md(name)}`,
      `${md(standing)}.`,
      bullets(facts.map(({ read, found }) => `${md(read)}: ${md(found)}`)) || 'Nothing was found out about it.',
    ]),
    '## Times',
    table(
      ['', 'Measured', 'Took'],
      report.times.map(({ name, meaning, value }) => [md(name), md(meaning), md(value)]),
    ),
    '## Timeline',
    table(
      ['Since detection', 'UTC', 'What happened', 'Entry'],
      report.timeline.map(({ after, at, text, seq }) => [md(after), stampOf(at), md(text), `#${seq}`]),
    ),
    '## Who decided what',
    report.decisions.length === 0
      ? 'No person had to decide anything.'
      : table(
          ['UTC', 'Who', 'Known by', 'Decision', 'Entry'],
          report.decisions.map(({ at, who, known, text, seq }) => [
            stampOf(at),
            md(who),
            md(known),
            md(text),
            `#${seq}`,
          ]),
        ),
    '## What cannot be undone',
    bullets(
      report.irreversible.map(({ title, at, unavoidable }) => {
        const why = unavoidable === undefined ? '' : ` Unavoidable: ${md(unavoidable)}`;
        return `${md(title)}, ${at === null ? '**not known whether it took effect**' : stampOf(at)}.${why}`;
      }),
    ) || 'Nothing was done that cannot be taken back.',
    '## What did not go well at once',
    bullets(report.troubles.map(({ title, what, ended }) => `${md(title)}: ${md(what)}; **${md(ended)}**`)) ||
      'Every step went well at the first attempt.',
    '## What was taken back',
    bullets(report.undone.map(({ title, became }) => `${md(title)}: ${md(became)}`)) || 'Nothing was taken back.',
    '## Follow-ups',
    report.followUps.map((each) => `- [ ] ${md(each)}`).join('\n') || 'None.',
    '## How to verify this',
    `This draft proves nothing by itself. Its ${proof.entries} entries stand in the log ${md(proof.origin)}, which held ${proof.size} entries with root hash \`${proof.root}\` when this was drafted. Check them offline:`,
    `\`\`\`sh\n${proof.commands.join('\n')}\n\`\`\``,
  ];
  return `${parts.join('\n\n')}\n`;
}

const stampOf = (iso: string): string => stamp(Date.parse(iso));

/** At its beginning, a line's own text could open another list. */
const bullets = (lines: readonly string[]): string =>
  lines.map((line) => `- ${line.replace(/^([-+=])/, '\\$1').replace(/^(\d+)([.)])/, '$1\\$2')}`).join('\n');

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const HTML: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/** `text` as text: CommonMark lets any punctuation be escaped by a backslash; `\:` and `www\.` also keep GFM from making links. */
const md = (text: string): string =>
  text
    .replace(/[\\`*_[\]|~$!#@]/g, '\\$&')
    .replace(/[&<>]/g, (char) => HTML[char] ?? '')
    .replace(/:\/\//g, '\\://')
    .replace(/www\./gi, (www) => `${www.slice(0, 3)}\\.`);

/** A link where `url` is one of the web; the label alone where it is not. */
function linked(label: string, url: string | undefined): string {
  if (url === undefined || !URL.canParse(url)) return md(label);
  const { protocol, href } = new URL(url);
  if (protocol !== 'https:' && protocol !== 'http:') return md(label);
  return `[${md(label)}](<${href.replace(/[<>\\|\s]/g, encodeURIComponent)}>)`;
}
