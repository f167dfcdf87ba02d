import { Hono } from 'hono';
import { createApi } from '../api/api.ts';
import type { App } from '../app.ts';
import type { Config } from '../config.ts';
import { createConsole } from '../console/console.ts';
import { randomToken } from '../console/link.ts';
import type { Session } from '../console/session.ts';
import { logRoutes } from '../custody/log-routes.ts';
import { planLines } from '../incident/plan-lines.ts';
import { ingestRoutes } from '../ingest/server.ts';
import { Uploads } from '../ingest/uploads.ts';
import { fetchText } from '../ingest/visit.ts';
import { type Listening, listen, listenerOf } from '../listen.ts';
import type { Log } from '../log.ts';
import type { Slack, SlackConfig } from '../slack/app.ts';
import type { SlackServices } from '../slack/interaction.ts';
import { healthRoutes } from '../telemetry/doors.ts';
import { readMetrics, tallyOf } from '../telemetry/read.ts';
import { createReadiness } from '../telemetry/ready.ts';
import { anchoringOf, startAnchors } from './anchors.ts';
import { VERSION } from './bot.ts';

export interface DoorOptions {
  readonly app: App;
  readonly config: Pick<Config, 'host' | 'port'> & Partial<Pick<Config, 'publicUrl' | 'metricsToken' | 'drainWaitMs'>>;
  readonly session: Session;
  readonly slack?: SlackConfig;
  readonly drill: SlackServices['drill'];
  readonly log: Log;
}

export interface Doors extends Listening {
  readonly slack: Slack | null;
}

const LIMITS = { maxBytes: 1_048_576, withinMs: 10_000 };
/** However many senders there are, and whatever one of them alone does. */
const UPLOADS = { most: 64 * LIMITS.maxBytes, mostPerPeer: 32 * LIMITS.maxBytes };

/** Opens every way in on one port: alerts, health, the console, and Slack by HTTP. Resolves when alerts are accepted. */
export async function openDoors({ app, config, session, slack: slackConfig, drill, log }: DoorOptions): Promise<Doors> {
  const anchoring = anchoringOf(app.options, log);
  const trouble = (where: string) => (error: unknown) => log.error({ err: error }, where);
  const web = new Hono();
  let draining = false;
  const { store, clock, brake, mode } = app.options;
  const beats = (): App['beats'] => app.beats;
  const watched = { ...app, store, brake, beats, now: () => clock.now() };
  const tally = tallyOf(watched);
  const openMetrics = once(async () => {
    const { createMetrics } = await import('../telemetry/metrics.ts');
    return createMetrics({ version: VERSION, mode, tally, now: watched.now, read: () => readMetrics(watched) });
  });
  web.route(
    '/',
    healthRoutes({
      readiness: createReadiness({ ...watched, clock, draining: () => draining }),
      metrics: openMetrics,
      ...(config.metricsToken === undefined ? {} : { metricsToken: config.metricsToken }),
      onTrouble: trouble('the metrics could not be read'),
    }),
  );
  web.route(
    '/',
    ingestRoutes({
      sources: app.options.sources,
      inbox: app.inbox,
      clock: app.options.clock,
      limits: LIMITS,
      uploads: new Uploads(UPLOADS),
      urgency: app.urgency,
      traces: app.traces,
      onAccepted: app.accepted,
      visit: async (url) => void (await fetchText(url)),
      onTrouble: trouble('an alert was not recorded'),
    }),
  );
  web.route(
    '/',
    createConsole({
      desk: app.desk,
      session,
      newToken: randomToken,
      onTrouble: trouble('the console failed'),
      ...(config.publicUrl ? { publicUrl: config.publicUrl } : {}),
    }),
  );
  web.route(
    '/api/v1',
    createApi({ desk: app.desk, arrivals: app, version: VERSION, onTrouble: trouble('the API failed') }),
  );
  web.route(
    '/',
    logRoutes({
      db: store.db,
      vkey: app.options.signer.vkey,
      publicEntries: app.options.env.TOURNIQUET_LOG_PUBLIC_ENTRIES === 'yes',
    }),
  );
  let url = '';
  const pageOf = (ref: string): string => `${url}/incidents/${ref}`;
  const services: SlackServices = {
    revoke: app.revoke,
    drill,
    async plan(request) {
      const preview = await app.plan(request);
      return preview.ok ? { ok: true, lines: planLines(preview) } : preview;
    },
  };
  // Not with the program: Slack's libraries are slow to load, and many bots have no Slack.
  const chat = slackConfig && (await import('../slack/app.ts'));
  const slack =
    chat && slackConfig ? chat.createSlack({ desk: app.desk, services, config: slackConfig, log, pageOf }) : null;
  const pages = listenerOf(web.fetch);
  const bySlack = slack?.requestListener;
  const listening = await listen(
    (request, response) =>
      bySlack && request.url?.split('?')[0] === chat?.SLACK_PATH
        ? bySlack(request, response)
        : pages(request, response),
    config,
  );
  url = config.publicUrl?.origin ?? listening.url;
  slack?.start();
  const stopAnchors = startAnchors(anchoring, app.ledger, log);
  return {
    ...listening,
    slack,
    async close() {
      draining = true;
      await new Promise((resolve) => setTimeout(resolve, config.drainWaitMs ?? 0));
      await listening.close();
      await slack?.stop();
      await stopAnchors();
    },
  };
}

/** Makes it at the first call, and gives that ever after. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= make();
    return made;
  };
}
