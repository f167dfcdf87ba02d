import type { Said } from '../../decisions/desk.ts';
import type { RunView } from '../../incident/view.ts';
import { type Message, tell } from '../text.ts';

/** Decides for each of `runs` in turn and tells the answers, each with its credential when there are several. */
export async function forEachRun(
  runs: readonly RunView[],
  none: string,
  decide: (run: RunView) => Promise<Said>,
): Promise<Message> {
  if (runs.length === 0) return tell(none);
  const lines: string[] = [];
  for (const run of runs) {
    const said = await decide(run);
    const of = runs.length > 1 ? `${run.state.opened.credential.id}: ` : '';
    lines.push(`${of}${said.ok ? said.said : said.message}`);
  }
  return tell(...lines);
}
