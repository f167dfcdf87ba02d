import type { RequestListener } from 'node:http';
import { setTimeout as timeout } from 'node:timers/promises';
import { App, HTTPReceiver, type Logger, SocketModeReceiver } from '@slack/bolt';
import { WebClient } from '@slack/web-api';
import { milliseconds } from '../core/duration.ts';
import type { Desk } from '../decisions/desk.ts';
import { onlyOne } from '../store/leader.ts';
import type { PageOf } from './card.ts';
import { openChannel } from './channel.ts';
import { identityOf } from './identity.ts';
import type { Context, SlackServices } from './interaction.ts';
import { listen } from './listen.ts';
import { boltLogger, type Log, traceOf } from './log.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import type { Message } from './text.ts';

export interface SlackConfig {
  readonly botToken: string;
  /** For requests by HTTP; not needed in Socket Mode. */
  readonly signingSecret?: string;
  /** When given, Slack is reached by Socket Mode, and no address of ours needs to be reachable. */
  readonly appToken?: string;
  /** The id of the channel for cards, such as C0123ABCD; its name would break with a renaming. */
  readonly channel: string;
  /** Another Slack than slack.com: a simulator. */
  readonly apiUrl?: string;
}

export interface SlackOptions {
  readonly desk: Desk;
  readonly services: SlackServices;
  readonly config: SlackConfig;
  readonly log: Log;
  /** The address of an incident's page in the console, by its reference. */
  readonly pageOf?: PageOf;
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<void>;
}

export interface Slack {
  /** Mount it at SLACK_PATH with the body unread; it authenticates every request. Null in Socket Mode. */
  readonly requestListener: RequestListener | null;
  readonly outbox: Outbox;
  /** Begins to show incidents and, in Socket Mode, to listen. Needs no Slack that can be reached. */
  start(): void;
  /** Resolves when everyone who asked for something has been answered. */
  stop(): Promise<void>;
}

/** Where Slack sends commands, clicks and forms. */
export const SLACK_PATH = '/slack/events';

const CALL_WITHIN = milliseconds('10s');
const RECONNECT_AFTER = milliseconds('10s');

/** Throws, before anything is sent, when `config` cannot work; the message says what to set. */
export function createSlack({
  desk,
  services,
  config,
  log,
  pageOf = () => undefined,
  sleep = nap,
}: SlackOptions): Slack {
  if (!/^[CG][A-Z0-9]{2,}$/.test(config.channel))
    throw new Error(
      'Give the Slack channel by its id, such as C0123ABCD; Slack shows it at the end of the channel’s details.',
    );
  const logger = boltLogger(log);
  // The client itself repeats nothing: the outbox does, with what is newest by then.
  const clientOptions = {
    logger,
    timeout: CALL_WITHIN,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    ...(config.apiUrl ? { slackApiUrl: `${config.apiUrl.replace(/\/+$/, '').replace(/\/api$/, '')}/api/` } : {}),
  };
  const client = new WebClient(config.botToken, clientOptions);
  const identity = identityOf(desk.store, client, config.botToken);
  const channel = openChannel(client, config.channel, identity);
  const outbox = createOutbox({
    store: desk.store,
    ledger: desk.ledger,
    channel,
    clock: desk.clock,
    log,
    sleep,
    pageOf,
    leadership: onlyOne(desk.store, 'slack', desk.random(), desk.clock),
  });
  const way = wayIn(config, logger, clientOptions);
  const app = new App({
    receiver: way.receiver,
    logger,
    clientOptions,
    convoStore: false,
    // The default asks Slack for our ids, at boot and fatally, or drops the command when there is no answer.
    authorize: async () => ({ botToken: config.botToken }),
  });
  const context: Context = { desk, services, client, identity, log, pageOf, answer };
  const underWay = listen(app, context);
  const stopping = new AbortController();
  return {
    requestListener: way.by === 'http' ? routed(way.receiver) : null,
    outbox,
    start() {
      outbox.start();
      if (way.by === 'socket') void connect(way.receiver, log, sleep, stopping.signal);
    },
    async stop() {
      stopping.abort();
      if (way.by === 'socket') await way.receiver.stop();
      await outbox.stop();
      await Promise.all(underWay);
    },
  };
}

type WayIn =
  | { readonly by: 'http'; readonly receiver: HTTPReceiver }
  | { readonly by: 'socket'; readonly receiver: SocketModeReceiver };

function wayIn({ appToken, signingSecret }: SlackConfig, logger: Logger, clientOptions: object): WayIn {
  if (appToken)
    return {
      by: 'socket',
      receiver: new SocketModeReceiver({ appToken, logger, installerOptions: { clientOptions } }),
    };
  if (!signingSecret)
    throw new Error(
      'Slack needs a signing secret (for requests by HTTP) or an app token (for Socket Mode); give one of them, or leave Slack out.',
    );
  return { by: 'http', receiver: new HTTPReceiver({ signingSecret, logger, endpoints: SLACK_PATH }) };
}

/** Bolt throws at a path that is not its own. */
const routed =
  (receiver: HTTPReceiver): RequestListener =>
  (request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    if (path === SLACK_PATH && request.method === 'POST') receiver.requestListener(request, response);
    else response.writeHead(404).end();
  };

/** Connects when Slack can be reached; the receiver itself stays connected from then on. */
async function connect(
  receiver: SocketModeReceiver,
  log: Log,
  sleep: NonNullable<SlackOptions['sleep']>,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await receiver.start();
      return;
    } catch (error) {
      log.warn(traceOf(error), 'Slack cannot be reached by Socket Mode; trying again');
      await sleep(RECONNECT_AFTER, signal);
    }
  }
}

/** https://docs.slack.dev/interactivity/handling-user-interaction#message_responses */
async function answer(responseUrl: string, message: Message): Promise<void> {
  const response = await fetch(responseUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ response_type: 'ephemeral', replace_original: false, ...message }),
    signal: AbortSignal.timeout(CALL_WITHIN),
  });
  if (!response.ok) throw new Error(`Slack answered ${response.status} to an answer`);
}

async function nap(ms: number, signal?: AbortSignal): Promise<void> {
  try {
    await timeout(ms, undefined, signal ? { signal } : {});
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
