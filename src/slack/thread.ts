import type { Entry } from '../core/entry.ts';
import type { IncidentView } from '../incident/view.ts';
import { sentenceOf, stepsIn, type Tone } from '../incident/words/sentence.ts';
import { bold, clip, escaped, fitting, LIMITS, type Line, type Message, paragraph, plain } from './text.ts';

const MARKS: Record<Tone, string> = { good: '✓', bad: '✗', wait: '…', info: '·' };
const LINES = 40;

/** What the card's thread is told next: one reply, if there is anything worth a line, and the last entry that it covers. */
export interface Chapter {
  readonly message: Message | null;
  readonly upTo: number;
}

/** The entries after `told` as one reply; what does not fit is left for the next one. Null when nothing is new. Pure. */
export function nextChapter(view: IncidentView, told: number): Chapter | null {
  const fresh = view.entries.filter((entry) => entry.seq > told);
  const last = fresh.at(-1);
  if (!last) return null;
  const find = stepsIn(view.entries);
  const lines = fresh.flatMap((entry) => {
    const sentence = sentenceOf(entry, find);
    return sentence ? [{ seq: entry.seq, text: sentence.text, line: lineOf(entry, sentence.text, sentence.tone) }] : [];
  });
  if (lines.length === 0) return { message: null, upTo: last.seq };
  const fit = Math.max(1, Math.min(LINES, fitting(lines.map((each) => each.line))));
  const kept = lines.slice(0, fit);
  return {
    message: {
      text: clip(escaped(kept.map((each) => each.text).join(' · ')), LIMITS.notification),
      blocks: [
        paragraph(
          kept.map((each) => each.line),
          () => [plain('…')],
        ),
      ],
    },
    upTo: fit < lines.length ? (kept.at(-1)?.seq ?? last.seq) : last.seq,
  };
}

function lineOf({ time }: Entry, text: string, tone: Tone): Line {
  const words = clip(text, 500);
  return [plain(`${time.utc.slice(11, 19)} UTC ${MARKS[tone]} `), tone === 'bad' ? bold(words) : plain(words)];
}
