import type { App } from '../app.ts';
import { issueLink, linkSession, randomToken } from '../console/link.ts';
import { localSession } from '../console/session.ts';
import { readOpenPlans } from '../incident/view.ts';
import { takeServerLock } from '../lock.ts';
import { openDoors } from '../modes/doors.ts';
import { openLive, slackOf, startSchedule } from '../modes/live.ts';
import { createStory } from '../story.ts';
import { type Context, readContext } from './context.ts';
import { startDrill } from './drill.ts';
import { follow, trouble } from './follow.ts';
import { guide } from './guide.ts';
import type { Io } from './io.ts';

/** Runs the bot until it is told to stop: the sandbox where nothing is configured, else the real one. */
export async function start(io: Io): Promise<void> {
  const context = await readContext(io);
  // On PostgreSQL any number of replicas may serve.
  const release = context.config.databaseUrl === undefined ? takeServerLock(context.config.dataDir) : () => {};
  try {
    if (context.config.mode === 'sandbox') await startSandbox(io, context);
    else await startLive(io, context);
  } finally {
    release();
  }
}

async function startSandbox(io: Io, context: Context): Promise<void> {
  const { config, loaded, log } = context;
  const { openSandbox } = await import('../modes/sandbox.ts'); // its simulators are no part of a bot in earnest
  const sandbox = await openSandbox(config, loaded, log);
  const { app } = sandbox;
  const doors = await openDoors({
    app,
    config,
    session: localSession(),
    slack: sandbox.slack,
    drill: startDrill(context),
    log,
  });
  io.out('Tourniquet sandbox: simulated AWS, GitHub and Slack; nothing real can be touched.');
  io.out(`Page: ${doors.url}    Stop: Ctrl-C`);
  io.out('');
  io.out(sandbox.brief);
  io.out('');
  const stopGuide = await guide(io, app, doors.url);
  app.start();
  await fetch(new URL(sandbox.alert.path, doors.url), {
    method: 'POST',
    headers: sandbox.alert.headers,
    body: sandbox.alert.body,
  });
  await told(io);
  stopGuide();
  await doors.close();
  await app.stop();
  await sandbox.close();
}

async function startLive(io: Io, context: Context): Promise<void> {
  const { config, loaded, log } = context;
  const app = await openLive(config, loaded, log);
  const parts = { store: app.options.store, ledger: app.ledger, clock: app.options.clock, newToken: randomToken };
  const session = linkSession(parts, app.options.roster);
  const slack = slackOf(config);
  const doors = await openDoors({ app, config, session, drill: startDrill(context), log, ...(slack ? { slack } : {}) });
  for (const line of summary(context, app, doors.url)) io.out(line);
  const first =
    app.options.roster.people.find((person) => person.roles.includes('lead')) ?? app.options.roster.people[0];
  if (first && io.ask) {
    const token = await issueLink(parts, first, { kind: 'bot', id: 'tourniquet', authn: 'start' });
    io.out(
      `Console, for ${first.name}, once, within 10 minutes: ${config.publicUrl?.origin ?? doors.url}/login?token=${token}`,
    );
  }
  const story = createStory({ colour: io.colour, plans: await readOpenPlans(app.options.store.db) });
  const stopStory = await follow(app, (entries) => story.tell(entries).forEach(io.out), trouble(io));
  app.start();
  const stopSchedule = startSchedule(app);
  await told(io);
  io.out('Stopping: what is in flight is finished first; what is left is taken up at the next start.');
  stopStory();
  await stopSchedule();
  await doors.close();
  await app.stop();
}

const told = (io: Io): Promise<void> =>
  new Promise((resolve) => {
    if (io.stopping.aborted) resolve();
    else io.stopping.addEventListener('abort', () => resolve(), { once: true });
  });

/** What is live, and what it may do: whoever starts it should know before the first alert. */
function summary({ config, loaded }: Context, app: App, url: string): readonly string[] {
  const live = new Set(app.registry.connectors.map((connector) => connector.name));
  const place = config.databaseUrl === undefined ? `data in ${config.dataDir}` : 'one of the replicas on PostgreSQL';
  const lines = [`Tourniquet is live on ${url} (ledger ${app.ledger.origin}, ${place}).`];
  for (const connector of loaded.connectors) {
    if (!live.has(connector.name)) {
      lines.push(`  ${connector.title}: not configured`);
      continue;
    }
    const effects = Object.values(connector.operations).map((operation) => operation.effect);
    const count = (effect: string): number => effects.filter((each) => each === effect).length;
    lines.push(
      `  ${connector.title}: live; may read (${count('observe')}), change reversibly (${count('reversible')}), change for good (${count('irreversible')}, only as policy allows)`,
    );
  }
  const sources = app.options.sources.map((source) => `POST /webhooks/${source.name}`);
  lines.push(`  Alerts: ${sources.length > 0 ? sources.join(', ') : 'no stream is configured; people and files only'}`);
  lines.push(`  Slack: ${config.slack ? `cards in ${config.slack.channel}` : 'not configured'}`);
  lines.push(
    `  By itself at most ${config.brake.most} containments in ${config.brake.windowMs / 60_000} minutes; then people decide.`,
  );
  lines.push('  Check permissions with: npx tourniquet doctor');
  return lines;
}
