import { type App, createApp } from '../app.ts';
import type { Config } from '../config.ts';
import type { Loaded } from '../extensions.ts';
import type { Log } from '../log.ts';
import { heartbeat } from '../schedule/jobs.ts';
import { createSchedule } from '../schedule/schedule.ts';
import { slotAt } from '../schedule/slot.ts';
import type { SlackConfig } from '../slack/app.ts';
import { onlyOne } from '../store/leader.ts';
import { anchoringOf } from './anchors.ts';
import { openBot, sourcesOf } from './bot.ts';

/** The real bot: what is configured is what it may touch. Rejects in words when the store, a key or a setting cannot be used. */
export async function openLive(
  config: Config,
  loaded: Pick<Loaded, 'connectors' | 'runbooks'>,
  log: Log,
): Promise<App> {
  const options = await openBot(config, {
    mode: 'live',
    dataDir: config.dataDir,
    connectors: loaded.connectors,
    runbooks: loaded.runbooks,
    env: config.env,
    guard: () => {}, // in earnest it talks to the addresses that its settings name
    sources: sourcesOf(config.sources),
    people: config.people.map((person) => ({ ...person, authn: [...person.authn, `console:${person.id}`] })),
    inventory: config.inventory,
    onError: (error, where) => log.error({ err: error }, `Our own code failed in ${where}; everything else goes on`),
  });
  const anchoring = anchoringOf(options, log);
  return createApp({ ...options, remarkBeforeIrreversible: () => anchoring.remarkBeforeIrreversible() });
}

/** Begins the scheduled work of a live bot: so far the heartbeat of its log. Call the answer to end it, before the app is stopped. */
export function startSchedule({ options, ledger }: App): () => Promise<void> {
  const { store, clock, random, onError } = options;
  const leadership = onlyOne(store, 'schedule', random(), clock);
  const schedule = createSchedule({
    jobs: [heartbeat()],
    db: store.db,
    ledger,
    clock,
    onlyOne: leadership.lead,
    onError: (error, job) => onError(error, `the scheduled job ${job}`),
    slotAt,
  });
  schedule.start();
  return async () => {
    await schedule.stop();
    await leadership.resign().catch((error: unknown) => onError(error, 'the schedule')); // another leads soon all the same
  };
}

/** Slack's part of the configuration as chat takes it. */
export function slackOf({ slack }: Config): SlackConfig | undefined {
  if (!slack) return undefined;
  const { botToken, channel, apiUrl, transport } = slack;
  const way = transport.kind === 'http' ? { signingSecret: transport.signingSecret } : { appToken: transport.appToken };
  return { botToken, channel, apiUrl, ...way };
}
