import type { App } from '../app.ts';
import type { Entry } from '../core/entry.ts';
import { decide } from '../decisions/approve.ts';
import { type IncidentView, listIncidents, readIncident } from '../incident/view.ts';
import { approvalWords } from '../incident/words/terms.ts';
import { elapsed } from '../incident/words/text.ts';
import { createStory } from '../story.ts';
import { follow, trouble } from './follow.ts';
import type { Io } from './io.ts';

/**
 * Tells a newcomer to the sandbox what happens, as it happens, and what is wanted of them. Where there is a terminal, Enter approves;
 * otherwise the page does. Returns the way to stop.
 */
export function guide(io: Io, app: App, url: string): Promise<() => void> {
  const story = createStory({ colour: io.colour });
  let asked: string | null = null;
  let ended = false;

  const look = async (): Promise<void> => {
    const incident = await sample(app);
    for (const run of incident?.runs ?? []) {
      if (
        run.action.do === 'await' &&
        run.action.what.need === 'approval' &&
        run.planSha256 &&
        asked !== run.planSha256
      ) {
        asked = run.planSha256;
        io.out('');
        io.out(
          `    The key is contained. ${incident?.ref} waits for ${approvalWords(run.action.what)}: to replace the key and delete it for good.`,
        );
        io.out(`    Read the plan and approve it at ${url}/incidents/${incident?.ref}`);
        if (io.ask) void approveHere(run.id, run.planSha256);
      }
      if (run.standing === 'retired' && incident?.state === 'closed' && !ended) {
        ended = true;
        for (const line of ending(incident)) io.out(line);
      }
    }
  };

  const approveHere = async (run: string, planSha256: string): Promise<void> => {
    if (!io.ask) return;
    const typed = await io.ask('    …or press Enter to approve it here: ');
    if (typed !== '') return;
    const said = await decide(app.desk, { run, planSha256, verdict: 'approve', authn: 'cli:local' });
    io.out(`    ${said.ok ? said.said : said.message}`);
    io.out('');
  };

  const tell = (entries: readonly Entry[]): void => {
    story.tell(entries).forEach(io.out);
    look().catch(trouble(io));
  };
  return follow(app, tell, trouble(io));
}

async function sample(app: App): Promise<IncidentView | null> {
  const { store, clock } = app.options;
  const [line] = await listIncidents(store.db, { limit: 1, open: false });
  return line ? readIncident(store.db, line.id, clock.now()) : null;
}

function ending({ ref, openedAt, runs }: IncidentView): readonly string[] {
  const [run] = runs;
  if (!run) return [];
  const after = (at: number | undefined): string => (at === undefined ? 'never' : elapsed(at - Date.parse(openedAt)));
  const { contained, rotated, retired } = run.milestones;
  return [
    '',
    `    ${ref} is over: contained and proved dead after ${after(contained)}, replaced after ${after(rotated)}, deleted for good after ${after(retired)}.`,
    '    Every step is in the chain of custody. Take it with you, and check it offline, as an auditor would:',
    `      npx tourniquet custody export ${ref} --out ${ref}.tar --policy-out ${ref}.policy`,
    `      npx tourniquet custody verify ${ref}.tar --policy ${ref}.policy`,
    '    Then set up the real thing: README, Setup. Stop with Ctrl-C.',
  ];
}
