import type { types } from '@slack/bolt';
import { oneLine } from '../incident/words/text.ts';
import { scrub } from '../ingest/patterns.ts';

/*
 * Text that strangers wrote (commit messages, user names, provider errors) reaches Slack in two ways only. In blocks it goes into
 * rich text elements and plain_text, which are data and never parsed: no markup, mention, link or emoji can come of it. In the
 * notification text, which is parsed, it is escaped. https://docs.slack.dev/messaging/formatting-message-text#escaping
 */

export type Block = types.KnownBlock;
export type Button = types.Button;
type Part = types.RichTextElement;
export type Line = readonly Part[];

/** What Slack is given to show: blocks, and the one text that notifications and screen readers use instead. */
export interface Message {
  readonly text: string;
  readonly blocks: Block[];
}

/** https://docs.slack.dev/reference/block-kit/blocks; a rich text block has no documented limit, so it keeps to a section's. */
export const LIMITS = {
  blocks: 50,
  section: 3_000,
  header: 150,
  button: 75,
  value: 2_000,
  notification: 1_000,
} as const;

/** `text` at most `max` long, whole characters only, with an ellipsis where something was cut. */
export function clip(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** As it stands in blocks: one line, no secrets, and no angle brackets even where nothing would parse them. */
export const shown = (text: string): string => scrub(oneLine(text)).replaceAll('<', '‹').replaceAll('>', '›');

/** As it stands in text that Slack parses. */
export const escaped = (text: string): string =>
  scrub(oneLine(text)).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export const plain = (text: string): Part => ({ type: 'text', text: spaced(text) });
export const bold = (text: string): Part => ({ type: 'text', text: spaced(text), style: { bold: true } });
export const code = (text: string): Part => ({ type: 'text', text: spaced(text), style: { code: true } });
/** A link that shows where it goes. Anything but https is shown as text. */
export const link = (url: string): Part =>
  /^https:\/\/[^\s<>"]{1,1000}$/.test(url) && URL.canParse(url) ? { type: 'link', url } : plain(url);

/** Keeps the blank at either end, which `shown` would take off and which parts of a line need between them; never empty. */
function spaced(text: string): string {
  const core = shown(text);
  return `${/^\s/.test(text) ? ' ' : ''}${core}${/\s$/.test(text) && core !== '' ? ' ' : ''}` || ' ';
}

const lengthOf = (line: Line): number =>
  line.reduce(
    (sum, part) => sum + (part.type === 'text' ? part.text.length : part.type === 'link' ? part.url.length : 0),
    1,
  );

/** How many of `lines`, from the first, fit one block. */
export function fitting(lines: readonly Line[], max: number = LIMITS.section): number {
  let total = 0;
  const over = lines.findIndex((line) => {
    total += lengthOf(line);
    return total > max;
  });
  return over < 0 ? lines.length : over;
}

/** One block of lines. What does not fit is left out, and `more` says so in the last line, given how many were left out. */
export function paragraph(lines: readonly Line[], more: (left: number) => Line): Block {
  const clipped = lines.map((line) =>
    line.map((part) => (part.type === 'text' ? { ...part, text: clip(part.text, 600) } : part)),
  );
  const all = fitting(clipped);
  const fit = all === clipped.length ? all : fitting(clipped, LIMITS.section - 200);
  const kept = fit === clipped.length ? clipped : [...clipped.slice(0, fit), more(clipped.length - fit)];
  const elements = kept.flatMap((line, index): Part[] => [
    ...(index > 0 ? [{ type: 'text' as const, text: '\n' }] : []),
    ...line,
  ]);
  return { type: 'rich_text', elements: [{ type: 'rich_text_section', elements }] };
}

/** A short answer to one person. */
export const tell = (...lines: readonly string[]): Message => ({
  text: clip(lines.map(escaped).join('\n'), LIMITS.notification),
  blocks: [
    paragraph(
      lines.map((line) => [plain(line)]),
      (left) => [plain(`… and ${left} more lines.`)],
    ),
  ],
});
