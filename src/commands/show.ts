import { listIncidents } from '../incident/view.ts';
import { planWords } from '../incident/words/plan.ts';
import { sentenceOf, stepsIn } from '../incident/words/sentence.ts';
import { standingWords } from '../incident/words/standing.ts';
import { elapsed, when } from '../incident/words/text.ts';
import { withApp } from './context.ts';
import { findIncident } from './decide.ts';
import type { Io } from './io.ts';

/** Lists incidents, newest first. */
export async function incidents(io: Io, { all }: { readonly all: boolean }): Promise<void> {
  await withApp(io, async (app) => {
    const lines = await listIncidents(app.options.store.db, { limit: 50, open: !all });
    if (lines.length === 0)
      io.out(
        all ? 'There has been no incident yet.' : 'No incident is open. Closed ones: npx tourniquet incidents --all',
      );
    for (const { ref, severity, state, title, openedAt, standings } of lines) {
      io.out(
        `${ref.padEnd(8)} ${severity.padEnd(8)} ${(standings.join(', ') || state).padEnd(18)} ${when(openedAt, io.now())}  ${title}`,
      );
    }
  });
}

/** Shows one incident: where it stands, the plan and its hash, and what happened. */
export async function show(io: Io, ref: string, { json }: { readonly json: boolean }): Promise<void> {
  await withApp(io, async (app) => {
    const incident = await findIncident(app, ref);
    if (json) {
      io.out(
        JSON.stringify(
          {
            ...incident,
            runs: incident.runs.map(({ id, standing, milestones, planSha256, undoable }) => ({
              id,
              standing,
              milestones,
              planSha256,
              undoable,
            })),
          },
          null,
          2,
        ),
      );
      return;
    }
    io.out(`${incident.ref}  ${incident.title}  (${incident.severity}, opened ${when(incident.openedAt, io.now())})`);
    for (const finding of incident.findings) {
      io.out(`  ${finding.source}: ${finding.title}`);
      for (const { label, url } of finding.locations) io.out(`    at ${label}${url ? ` ${url}` : ''}`);
    }
    for (const run of incident.runs) {
      const { credential } = run.state.opened;
      io.out('');
      io.out(`${credential.kind} ${credential.id}: ${standingWords(run)}`);
      if (run.planSha256) io.out(`Plan ${run.planSha256}`);
      for (const { heading, steps } of planWords(run).phases) {
        io.out(`  ${heading}`);
        for (const step of steps)
          io.out(`    ${step.mark} ${step.number}. ${step.title} (${step.nature}) ${step.became}`.trimEnd());
      }
    }
    io.out('');
    const find = stepsIn(incident.entries);
    for (const entry of incident.entries) {
      const sentence = sentenceOf(entry, find);
      const after = elapsed(Date.parse(entry.time.utc) - Date.parse(incident.openedAt));
      if (sentence)
        io.out(
          `${entry.time.utc.slice(0, 19).replace('T', ' ')} UTC ${`+${after}`.padStart(9)}  #${entry.seq} ${sentence.text}`,
        );
    }
  });
}
