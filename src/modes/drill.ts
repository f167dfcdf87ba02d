import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createApp } from '../app.ts';
import type { Config } from '../config.ts';
import { VirtualClock } from '../core/clock.ts';
import type { Entry } from '../core/entry.ts';
import { exportBundle } from '../custody/bundle.ts';
import { formatPolicy, parsePolicy } from '../custody/policy.ts';
import { generateSigner } from '../custody/signer.ts';
import { verifyBundle } from '../custody/verify.ts';
import { play, type Table } from '../drill/run.ts';
import type { Scenario } from '../drill/scenario.ts';
import { type Score, scoreOf } from '../drill/score.ts';
import { openWorld, PEOPLE } from '../drill/world.ts';
import { loadBuiltIns } from '../extensions.ts';
import type { IncidentView } from '../incident/view.ts';
import { ingestRoutes } from '../ingest/server.ts';
import { genericSource } from '../ingest/sources/generic.ts';
import { githubSource } from '../ingest/sources/github.ts';
import { fetchText } from '../ingest/visit.ts';
import { parseInventory } from '../inventory.ts';
import { DATABASE, openBot } from './bot.ts';

export interface DrillReport {
  readonly incident: IncidentView;
  readonly score: Score;
  /** The custody bundle of the whole drill, and the policy file that trusts its key. */
  readonly bundle: Buffer;
  readonly policy: string;
}

export interface DrillOptions {
  readonly scenario: Scenario;
  readonly config: Config;
  readonly table: Table;
  /** Called with everything that happens, as it happens. */
  readonly onEntries: (entries: readonly Entry[]) => void;
  /** Everything that was said to people so far, to be searched for secrets. */
  readonly said: () => string;
  readonly startedAt: Date;
}

/** What leaked was in use before anybody heard of it; short enough that the alert is still fresh. */
const HEAD_START_MS = 60_000;

/**
 * Runs the same app, connectors, runbooks and engine as in earnest, in a world of simulators, on a clock that skips every wait, with a
 * ledger and key of its own. Its settings come from the simulators alone: what the environment says of real providers is not read.
 */
export async function runDrill({
  scenario,
  config,
  table,
  onEntries,
  said,
  startedAt,
}: DrillOptions): Promise<DrillReport> {
  const clock = new VirtualClock(new Date(startedAt.getTime() - HEAD_START_MS));
  const dataDir = await mkdtemp(join(tmpdir(), 'tourniquet-drill-'));
  const world = await openWorld({ now: () => clock.now(), propagationMs: 3_000 });
  try {
    const staged = scenario.stage(world, { soak: '7d' });
    clock.moveTo(startedAt);
    const loaded = await loadBuiltIns();
    const options = await openBot(config, {
      mode: 'drill',
      dataDir,
      connectors: loaded.connectors,
      runbooks: loaded.runbooks,
      env: world.env,
      guard: world.guard,
      sources: [githubSource({ secrets: [world.webhookSecret] }), genericSource({ secrets: [world.webhookSecret] })],
      people: PEOPLE,
      inventory: parseInventory(JSON.stringify(staged.inventory), 'the drill'),
      onError: (error) => {
        throw error; // a drill that our own code fails in has failed
      },
      clock,
      signer: generateSigner(`tourniquet/drill/${scenario.name}`),
    });
    const app = await createApp(options);
    app.ledger.onAppend(onEntries);
    const routes = ingestRoutes({
      sources: options.sources,
      inbox: app.inbox,
      clock,
      limits: { maxBytes: 1_048_576, withinMs: 10_000 },
      onAccepted: () => {},
      visit: async (url) => void (await fetchText(url)),
      onTrouble: (error) => {
        throw error;
      },
    });
    const bot = {
      desk: app.desk,
      drain: app.drain,
      post: async ({ path, headers, body }: typeof staged.alert) =>
        (await routes.request(path, { method: 'POST', headers, body })).status,
    };
    const incident = await play(bot, clock, staged.alert, table);
    const { store, signer, tool } = options;
    const bundle = await exportBundle({ store, signer, tool, now: clock.now() });
    const policy = formatPolicy(signer.vkey);
    await app.stop();
    const verified = verifyBundle(bundle, parsePolicy(policy), { now: clock.now() }).ok;
    const searched = { database: await readFile(join(dataDir, DATABASE)), bundle, terminal: Buffer.from(said()) };
    return { incident, score: scoreOf(incident, staged, { searched, verified }), bundle, policy };
  } finally {
    await world.close();
    await rm(dataDir, { recursive: true, force: true });
  }
}
