import { styleText } from 'node:util';
import type { Entry } from './core/entry.ts';
import { type StepFinder, sentenceOf, stepsIn, type Tone } from './incident/words/sentence.ts';
import { elapsed, oneLine } from './incident/words/text.ts';

const MARK = { info: '·', good: '✓', bad: '!', wait: '…' } as const satisfies Record<Tone, string>;
const COLOUR = { info: 'gray', good: 'green', bad: 'red', wait: 'yellow' } as const satisfies Record<Tone, string>;

/** Tells what happens as one line a thing: time of day, time since the first of it, and a sentence. */
export interface Story {
  /** The lines for these entries, in order; entries not worth a line have none. */
  tell(entries: readonly Entry[]): readonly string[];
}

/** `colour` is for terminals alone; meaning is in marks and words. `plans`: of the runs that were under way before. */
export function createStory(options: { readonly colour: boolean; readonly plans?: readonly Entry[] }): Story {
  const { colour } = options;
  const plans = [...(options.plans ?? [])];
  let find: StepFinder = stepsIn(plans);
  let start: number | null = null;
  let today: string | null = null;
  return {
    tell(entries) {
      const news = entries.filter((entry) => entry.type === 'plan');
      if (news.length > 0) {
        plans.push(...news);
        find = stepsIn(plans);
      }
      return entries.flatMap((entry) => {
        const sentence = sentenceOf(entry, find);
        if (!sentence) return [];
        const at = Date.parse(entry.time.utc);
        start ??= at;
        const date = entry.time.utc.slice(0, 10);
        today ??= date;
        const clock = date === today ? entry.time.utc.slice(11, 19) : entry.time.utc.slice(0, 19).replace('T', ' ');
        today = date;
        const text = `${MARK[sentence.tone]} ${oneLine(sentence.text)}`;
        const shown = colour ? styleText(COLOUR[sentence.tone], text) : text;
        return [`${clock} UTC  ${`+${elapsed(at - start)}`.padStart(9)}  ${shown}`];
      });
    },
  };
}
