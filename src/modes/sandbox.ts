import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createEmulator } from 'emulate';
import { type App, createApp } from '../app.ts';
import type { Config } from '../config.ts';
import { loadScenario } from '../drill/load.ts';
import type { Delivery, Staged } from '../drill/scenario.ts';
import { openWorld, PEOPLE } from '../drill/world.ts';
import type { Loaded } from '../extensions.ts';
import { githubSource } from '../ingest/sources/github.ts';
import { parseInventory } from '../inventory.ts';
import type { Log } from '../log.ts';
import type { SlackConfig } from '../slack/app.ts';
import { DATABASE, openBot } from './bot.ts';

export interface Sandbox {
  readonly app: App;
  readonly slack: SlackConfig;
  /** The sample leak, as GitHub would send it. */
  readonly alert: Delivery;
  readonly brief: string;
  readonly close: () => Promise<void>;
}

const SAMPLE = 'leaked-aws-access-key';
/** As long as a week is in earnest: long enough to be seen. */
const SOAK = '5s';
/** The simulators mean what they answered after a second and a half. */
const SETTLE = '3s';

/**
 * The same bot among simulated AWS, GitHub and Slack in this process, on the real clock. It starts afresh: the simulators remember
 * nothing, so neither does the sandbox's ledger, which has an origin of its own.
 */
export async function openSandbox(
  config: Config,
  loaded: Pick<Loaded, 'connectors' | 'runbooks'>,
  log: Log,
): Promise<Sandbox> {
  const scenario = await loadScenario(SAMPLE);
  if (!scenario) throw new Error(`The sandbox's sample, runbooks/drills/${SAMPLE}.ts, is missing.`);
  for (const file of [DATABASE, `${DATABASE}-wal`, `${DATABASE}-shm`, 'log.key'])
    await rm(join(config.dataDir, file), { force: true });
  const world = await openWorld({ now: () => new Date(), propagationMs: 1_500 });
  const { alert, inventory } = scenario.stage(world, { soak: SOAK });
  const slack = await openSlack();
  const app = await createApp(
    await openBot(config, {
      mode: 'sandbox',
      dataDir: config.dataDir,
      connectors: loaded.connectors,
      runbooks: loaded.runbooks,
      env: world.env,
      guard: world.guard,
      sources: [githubSource({ secrets: [world.webhookSecret] })],
      people: PEOPLE,
      inventory: parseInventory(JSON.stringify(inventory.map(hasten)), 'the sandbox'),
      onError: (error, where) => log.error({ err: error }, `Our own code failed in ${where}; everything else goes on`),
    }),
  );
  return {
    app,
    alert,
    brief: scenario.brief,
    slack: slack.config,
    async close() {
      await slack.close();
      await world.close();
    },
  };
}

const hasten = ({ params, ...entry }: Staged['inventory'][number]) => ({
  ...entry,
  params: { ...params, settle: SETTLE },
});

const BOT_USER = 'U000000001';
const SCOPES = ['chat:write', 'commands', 'channels:history', 'channels:read'];

async function openSlack(): Promise<{ readonly config: SlackConfig; readonly close: () => Promise<void> }> {
  const botToken = `xoxb-sandbox-${randomBytes(16).toString('hex')}`;
  const emulator = await createEmulator({
    service: 'slack',
    port: await freePort(),
    seed: {
      slack: {
        users: [{ name: 'tourniquet' }, { name: 'sam' }],
        channels: [{ name: 'incidents' }],
        tokens: [{ token: botToken, user_id: BOT_USER, scopes: SCOPES }],
      },
    },
  });
  const channel = await channelCalled(emulator.url, botToken, 'incidents');
  const config = { botToken, signingSecret: randomBytes(16).toString('hex'), channel, apiUrl: emulator.url };
  return { config, close: () => emulator.close() };
}

async function channelCalled(url: string, token: string, name: string): Promise<string> {
  const response = await fetch(`${url}/api/conversations.list`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
  });
  const { channels = [] } = (await response.json()) as { channels?: { id: string; name: string }[] };
  const found = channels.find((channel) => channel.name === name);
  if (!found) throw new Error(`The simulated Slack has no channel #${name}.`);
  return found.id;
}

/** The emulator takes no port 0. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (typeof address !== 'object' || !address) throw new Error('No port is free for the simulated Slack.');
  return address.port;
}
