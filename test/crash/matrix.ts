import { isDeepStrictEqual } from 'node:util';
import type { Scenario } from '../../src/drill/scenario.ts';
import type { Bot, Nursery } from './host.ts';
import { type Database, type Ending, type Kill, type Life, live } from './life.ts';

/** Every moment at which an unharmed life could have been cut off. */
export function killPoints({ counts, requests }: Pick<Life, 'counts' | 'requests'>): readonly Kill[] {
  const whens = ['before', 'after'] as const;
  const transactions = (of: 'journal' | 'lease', upTo: number, most: number): Kill[] =>
    spread(upTo, most).flatMap((number) =>
      whens.map((when): Kill => ({ at: 'transaction', moment: { of, number, when } })),
    );
  const calls = distinct(requests).flatMap((number) => whens.map((when): Kill => ({ at: 'request', number, when })));
  // How often lanes look for work in vain differs a little from life to life; the last moves may not come.
  const moves = Math.floor(counts.lease * 0.7);
  return [
    ...transactions('journal', counts.journal, Number.POSITIVE_INFINITY),
    ...calls,
    ...transactions('lease', moves, 20),
  ];
}

/** The numbers 1 to `count`, or `most` of them at even distances: taking and giving back a lease is the same thing every time. */
const spread = (count: number, most: number): number[] => {
  const step = Math.max(1, count / most);
  return Array.from({ length: Math.min(count, most) }, (_, index) => 1 + Math.floor(index * step));
};

const EDGE = 3;

/** The numbers of the requests; of a question that is asked over and over, only the first and the last few. */
export function distinct(requests: readonly string[]): number[] {
  const same = (index: number, offset: number): boolean => requests[index] === requests[index + offset];
  const inside = (index: number): boolean =>
    Array.from({ length: EDGE }, (_, i) => i + 1).every((offset) => same(index, offset) && same(index, -offset));
  return requests.flatMap((_name, index) => (inside(index) ? [] : [index + 1]));
}

export interface Outcome {
  readonly kill: Kill;
  readonly deaths: number;
  /** Undefined when the ending was as it must be. */
  readonly wrong?: string;
}

/**
 * Lives through `kills`, one life each, `width` processes at once; `tell` hears of each as it is over. An ending that differs from
 * `expected`, and a life without one, is an outcome, not a rejection.
 */
export async function tryAll(
  { scenario, nursery, database }: { scenario: Scenario; nursery: Nursery; database: Database },
  { kills, expected, width }: { kills: readonly Kill[]; expected: Ending; width: number },
  tell: (outcome: Outcome) => void,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const left = [...kills];
  async function lane(): Promise<void> {
    let bot: Bot | undefined;
    for (let kill = left.shift(); kill; kill = left.shift()) {
      let wrong: string | undefined;
      let deaths = 0;
      try {
        const life = await live(scenario, { nursery, bot, database }, kill);
        bot = life.bot;
        deaths = life.deaths;
        wrong = deaths === 0 && kill.at !== 'random' ? 'it did not die' : difference(life.ending, expected);
      } catch (error) {
        await bot?.kill(); // whatever state it is in
        bot = undefined;
        wrong = error instanceof Error ? (error.stack ?? error.message) : String(error);
      }
      const outcome = { kill, deaths, ...(wrong === undefined ? {} : { wrong }) };
      outcomes.push(outcome);
      tell(outcome);
    }
    await bot?.kill();
  }
  await Promise.all(Array.from({ length: width }, lane));
  return outcomes;
}

/** How an ending differs from the one without deaths, in words; undefined when it does not. */
export function difference(ending: Ending, expected: Ending): string | undefined {
  const keys = Object.keys(expected) as (keyof Ending)[];
  const differing = keys.filter((key) => !isDeepStrictEqual(ending[key], expected[key]));
  if (differing.length === 0) return undefined;
  return differing
    .map((key) => `${key}: ${JSON.stringify(ending[key])} instead of ${JSON.stringify(expected[key])}`)
    .join('; ');
}
