// A bot in a process of its own, driven over IPC: the app of `tourniquet start` on a clock that skips every wait. Not a test by itself.
import { sql } from 'kysely';
import { type App, createApp } from '../../src/app.ts';
import { readConfig, thisMachine } from '../../src/config.ts';
import { VirtualClock } from '../../src/core/clock.ts';
import { verifyStore } from '../../src/custody/audit.ts';
import { decide } from '../../src/decisions/approve.ts';
import { answerStep } from '../../src/decisions/help.ts';
import { PEOPLE } from '../../src/drill/world.ts';
import { loadBuiltIns } from '../../src/extensions.ts';
import { type IncidentView, listIncidents, readIncident } from '../../src/incident/view.ts';
import { ingestRoutes } from '../../src/ingest/server.ts';
import { genericSource } from '../../src/ingest/sources/generic.ts';
import { githubSource } from '../../src/ingest/sources/github.ts';
import { parseInventory } from '../../src/inventory.ts';
import { openBot } from '../../src/modes/bot.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import type { Store } from '../../src/store/store.ts';
import type { Answers, Books, Command, Counts, Message, Moment, Reply, Stage, Turn } from './protocol.ts';

interface Open {
  readonly app: App;
  readonly clock: VirtualClock;
  readonly routes: ReturnType<typeof ingestRoutes>;
  readonly errors: string[];
  readonly counts: () => Counts;
}

const loaded = await loadBuiltIns();
const authn = 'cli:local';
let open: Open | undefined;

/** A store whose process kills itself at a moment of a transaction. */
function mortal(store: Store, dieAt: Moment | null): { readonly store: Store; readonly counts: () => Counts } {
  const counts = { journal: 0, lease: 0 };
  let size = -1;
  const pass = (moment: Moment): void => {
    if (dieAt && moment.of === dieAt.of && moment.number === dieAt.number && moment.when === dieAt.when)
      process.kill(process.pid, 'SIGKILL');
  };
  return {
    counts: () => ({ ...counts }),
    store: {
      ...store,
      async transaction(change) {
        let one: { readonly of: Moment['of']; readonly number: number } | undefined;
        const result = await store.transaction(async (tx) => {
          const changed = await change(tx);
          const head = await tx.selectFrom('ledger_head').select('size').executeTakeFirst();
          const of = head === undefined || head.size === size ? 'lease' : 'journal';
          size = head?.size ?? size;
          counts[of] += 1;
          one = { of, number: counts[of] };
          pass({ ...one, when: 'before' });
          return changed;
        });
        if (one) pass({ ...one, when: 'after' });
        return result;
      },
    },
  };
}

async function openApp({ dir, database, env, inventory, webhookSecret }: Stage, at: number, dieAt: Moment | null) {
  const read = readConfig({ TOURNIQUET_DATA_DIR: dir }, thisMachine(), loaded.connectors);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const clock = new VirtualClock(new Date(at));
  const errors: string[] = [];
  const sources = [githubSource({ secrets: [webhookSecret] }), genericSource({ secrets: [webhookSecret] })];
  const options = await openBot(read.config, {
    mode: 'drill',
    dataDir: dir,
    connectors: loaded.connectors,
    runbooks: loaded.runbooks,
    env,
    guard: () => {},
    sources,
    people: PEOPLE,
    inventory: parseInventory(inventory, 'the scenario'),
    onError: (error, where) => errors.push(`${where}: ${error instanceof Error ? error.stack : String(error)}`),
    clock,
  });
  if (database !== null) await options.store.close(); // a drill brings SQLite
  const kept = database === null ? options.store : await openPostgres(database);
  const { store, counts } = mortal(kept, dieAt);
  const app = await createApp({ ...options, store });
  const routes = ingestRoutes({
    sources,
    inbox: app.inbox,
    clock,
    limits: { maxBytes: 1_048_576, withinMs: 10_000 },
    onAccepted: () => {},
    visit: async () => {},
    onTrouble: (error) => errors.push(`ingest: ${String(error)}`),
  });
  return { app, clock, routes, errors, counts };
}

async function newest({ app, clock }: Open): Promise<IncidentView | null> {
  const { db } = app.options.store;
  const [line] = await listIncidents(db, { limit: 1, open: false });
  return line ? readIncident(db, line.id, clock.now()) : null;
}

/** People say yes to what they are asked, and answer what only they can know. */
async function askPeople({ app }: Open, incident: IncidentView): Promise<boolean> {
  for (const { id: run, action, planSha256 } of incident.runs) {
    if (action.do !== 'await') continue;
    const { what } = action;
    if (what.need === 'approval' && planSha256 !== undefined)
      return expectSaid(await decide(app.desk, { run, planSha256, verdict: 'approve', authn }));
    if (what.need === 'answer')
      return expectSaid(await answerStep(app.desk, { run, step: what.step, answer: 'Done.', authn }));
  }
  return false;
}

function expectSaid(said: Awaited<ReturnType<typeof decide>>): true {
  if (!said.ok) throw new Error(said.message);
  return true;
}

async function turn(bot: Open, at: number): Promise<Turn> {
  bot.clock.moveTo(new Date(at));
  const due = await bot.app.drain();
  const incident = await newest(bot);
  const decided = incident ? await askPeople(bot, incident) : false;
  return {
    due,
    decided,
    state: incident?.state ?? 'none',
    standings: incident?.runs.map((run) => run.standing) ?? [],
    errors: bot.errors.splice(0),
  };
}

async function books(bot: Open): Promise<Books> {
  const { store, signer } = bot.app.options;
  const verified = await verifyStore(store.db, signer.vkey);
  const incident = await newest(bot);
  const waiting = await store.db.selectFrom('inbox').select('id').where('state', '!=', 'done').execute();
  const kept = await store.db.selectFrom('sealed').select('id').where('ciphertext', 'is not', null).execute();
  const done = (incident?.entries ?? []).flatMap((entry) =>
    entry.type === 'result' && entry.outcome === 'done' ? [`${entry.run} ${entry.step}`] : [],
  );
  return {
    incidents: (await listIncidents(store.db, { limit: 10, open: false })).length,
    standings: incident?.runs.map((run) => run.standing) ?? [],
    ledger: verified.ok ? 'ok' : verified.problem,
    doubled: done.filter((step, index) => done.indexOf(step) !== index),
    left: waiting.length + kept.length,
    incident: incident && JSON.stringify(incident),
  };
}

async function answer(command: Command): Promise<Answers[keyof Answers]> {
  if (command.do === 'open') {
    await open?.app.stop();
    open = await openApp(command.stage, command.at, command.dieAt);
    return null;
  }
  if (!open) throw new Error('the bot is not open');
  switch (command.do) {
    case 'post': {
      open.clock.moveTo(new Date(command.at));
      const { path, headers, body } = command.delivery;
      return { status: (await open.routes.request(path, { method: 'POST', headers, body })).status };
    }
    case 'turn':
      return { ...(await turn(open, command.at)), counts: open.counts() };
    case 'ending':
      return books(open);
    case 'sql':
      await sql.raw(command.text).execute(open.app.options.store.db);
      return null;
  }
}

process.on('message', ({ id, command }: Message) => {
  const reply = (message: Reply): void => void process.send?.(message);
  answer(command).then(
    (value) => reply({ id, ok: true, value }),
    (error: unknown) => reply({ id, ok: false, error: error instanceof Error ? (error.stack ?? '') : String(error) }),
  );
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
