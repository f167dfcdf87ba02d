import { readFileSync } from 'node:fs';
import type { App } from '../app.ts';
import type { Exposure } from '../core/finding.ts';
import { planLines } from '../incident/plan-lines.ts';
import { readOpenPlans } from '../incident/view.ts';
import { ingestFile } from '../ingest/ingest-file.ts';
import { serverOf } from '../lock.ts';
import { createStory } from '../story.ts';
import { authnOf, type Context, withApp } from './context.ts';
import { say } from './decide.ts';
import { CommandError, type Io } from './io.ts';

export interface IngestArguments {
  readonly file: string;
  readonly format?: string;
  readonly repository?: string;
  readonly exposure?: Exposure;
}

/** Hands a scanner's report to the inbox, and sees the incident through where no server does. */
export async function ingest(io: Io, { file, format, repository, exposure }: IngestArguments): Promise<void> {
  const bytes = readReport(file);
  await withApp(io, async (app, context) => {
    const authn = authnOf(context, io);
    const person = app.options.roster.find(authn);
    if (!person)
      throw new CommandError(
        `Tourniquet does not know who ${authn} is. Add { "cli": "${io.user}" } to your entry of the people file.`,
      );
    const { inbox, options } = app;
    const done = await ingestFile(
      {
        bytes,
        actor: { kind: 'person', id: person.id, authn },
        defaults: { ...(repository ? { repository } : {}), ...(exposure ? { exposure } : {}) },
        ...(format ? { format } : {}),
      },
      { inbox, seal: options.seal, clock: options.clock },
    );
    if (!done.ok)
      throw new CommandError(
        `${file} was refused, and nothing of it is kept: ${done.at ? `${done.at}: ` : ''}${done.message}`,
      );
    const findings = `${done.findings} ${done.findings === 1 ? 'finding' : 'findings'}`;
    const known = done.status === 'duplicate' ? '; it was handed in before' : '';
    io.out(`${file}: ${findings} in a report of ${done.format}${known}. On record.`);
    await seeThrough(io, app, context);
  });
}

/** Asks for a revocation. */
export async function revoke(io: Io, text: string, why: string): Promise<void> {
  await withApp(io, async (app, context) => {
    say(io, await app.revoke({ text, authn: authnOf(context, io), why }));
    await seeThrough(io, app, context);
  });
}

/** Prints what would happen, from real reads. */
export async function plan(io: Io, text: string): Promise<void> {
  await withApp(io, async (app, context) => {
    if (context.config.mode === 'sandbox')
      throw new CommandError(
        'A plan needs real reads, and the simulated providers live inside npm start. See a plan of the sandbox with: npx tourniquet show INC-1. ' +
          'For your own credentials, configure their providers (README, Setup).',
      );
    const preview = await app.plan({ text, authn: authnOf(context, io) });
    if (!preview.ok) throw new CommandError(preview.message);
    planLines(preview).forEach(io.out);
  });
}

/** Works on whatever is open until it waits for people, where no server does. */
export async function work(io: Io): Promise<void> {
  await withApp(io, (app, context) => seeThrough(io, app, context));
}

function readReport(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`, 2);
  }
}

/** Longer waits than this are a soak, not work. */
const PATIENCE_MS = 120_000;

/** Where a server runs it acts; where none does, this process does until everything waits for people or for a soak. */
async function seeThrough(io: Io, app: App, { config }: Context): Promise<void> {
  const server = serverOf(config.dataDir);
  if (server !== null) {
    io.out(`The server (process ${server}) acts on it. Follow it: npx tourniquet incidents`);
    return;
  }
  if (config.mode === 'sandbox') {
    io.out('The sandbox does not run, so nobody acts on it: its providers live inside npm start, which begins afresh.');
    return;
  }
  const story = createStory({ colour: io.colour, plans: await readOpenPlans(app.options.store.db) });
  const stop = app.ledger.onAppend((entries) => story.tell(entries).forEach(io.out));
  for (;;) {
    const due = await app.drain();
    const now = app.options.clock.now().getTime();
    if (due === null || io.stopping.aborted) break;
    if (due - now > PATIENCE_MS) {
      io.out(
        `The rest is due at ${new Date(due).toISOString()}. Keep a server running (npx tourniquet start), or come back: npx tourniquet work`,
      );
      break;
    }
    await new Promise((resolve) => setTimeout(resolve, Math.max(20, due - now)));
  }
  stop();
  io.out('What waits for people: npx tourniquet incidents');
}
