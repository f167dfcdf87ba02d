import type { App } from '../app.ts';
import { decide as decideRun } from '../decisions/approve.ts';
import type { Said } from '../decisions/desk.ts';
import { setFrozen } from '../decisions/freeze.ts';
import { answerStep, requestRetry } from '../decisions/help.ts';
import { requestUndo } from '../decisions/undo.ts';
import { type IncidentView, type RunView, readIncident } from '../incident/view.ts';
import { authnOf, type Context, withApp } from './context.ts';
import { CommandError, type Io } from './io.ts';

/** What can be decided about a run at the terminal; it is the same as in Slack and on the page, and works without either. */
export type RunVerb =
  | {
      readonly do: 'approve' | 'deny';
      readonly why?: string /** The plan that was read, or its first characters. */;
      readonly plan?: string;
    }
  | { readonly do: 'undo'; readonly why: string }
  | { readonly do: 'retry' }
  | { readonly do: 'answer'; readonly answer: string };

/** Decides about every run of the incident that waits for such a decision. */
export async function decide(io: Io, ref: string, verb: RunVerb): Promise<void> {
  await withApp(io, async (app, context) => {
    const incident = await findIncident(app, ref);
    const runs = incident.runs.filter((run) => concerns(run, verb));
    if (runs.length === 0) throw new CommandError(nothingTo(verb, incident));
    for (const run of runs) say(io, await apply(app, context, io, run, verb));
  });
}

/** Stops, or lets go on, everything that changes anything at a provider. */
export async function freeze(io: Io, frozen: boolean, why: string): Promise<void> {
  await withApp(io, async (app, context) =>
    say(io, await setFrozen(app.desk, { frozen, why, authn: authnOf(context, io) })),
  );
}

export async function findIncident(app: App, ref: string): Promise<IncidentView> {
  const { store, clock } = app.options;
  const incident = await readIncident(store.db, ref, clock.now());
  if (!incident) throw new CommandError(`There is no incident "${ref}". List them with: npx tourniquet incidents`);
  return incident;
}

export function say(io: Io, said: Said): void {
  if (!said.ok) throw new CommandError(said.message);
  io.out(said.said);
}

function concerns(run: RunView, verb: RunVerb): boolean {
  const need = run.action.do === 'await' ? run.action.what.need : null;
  switch (verb.do) {
    case 'approve':
    case 'deny':
      return need === 'approval';
    case 'undo':
      return run.undoable.length > 0;
    case 'retry':
      return need === 'help';
    case 'answer':
      return need === 'answer';
  }
}

function apply(app: App, context: Context, io: Io, run: RunView, verb: RunVerb): Promise<Said> {
  const authn = authnOf(context, io);
  switch (verb.do) {
    case 'approve':
    case 'deny': {
      const planSha256 = run.planSha256 ?? '';
      if (verb.plan !== undefined && !planSha256.startsWith(verb.plan)) {
        throw new CommandError(
          `The plan is now ${planSha256.slice(0, 12)}, not ${verb.plan}. Read it again: npx tourniquet show`,
        );
      }
      return decideRun(app.desk, {
        run: run.id,
        planSha256,
        verdict: verb.do,
        authn,
        ...(verb.why ? { why: verb.why } : {}),
      });
    }
    case 'undo':
      return requestUndo(app.desk, { run: run.id, authn, why: verb.why });
    case 'retry':
      return requestRetry(app.desk, { run: run.id, authn });
    case 'answer': {
      const { action } = run;
      const step = action.do === 'await' && action.what.need === 'answer' ? action.what.step : '';
      return answerStep(app.desk, { run: run.id, step, answer: verb.answer, authn });
    }
  }
}

function nothingTo(verb: RunVerb, { ref }: IncidentView): string {
  switch (verb.do) {
    case 'approve':
    case 'deny':
      return `${ref} waits for no approval. See where it stands: npx tourniquet show ${ref}`;
    case 'undo':
      return `Nothing of ${ref} can be taken back: no reversible step of it is in place.`;
    case 'retry':
      return `${ref} is not stuck; there is nothing to try again.`;
    case 'answer':
      return `${ref} does not wait for an answer.`;
  }
}
