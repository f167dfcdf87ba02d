import type { Reader } from './reader.ts';
import type { OwnName } from './settings.ts';

/** How Slack reaches us: over HTTP, proving itself with its signing secret, or over a socket that we open. */
export type SlackTransport =
  | { readonly kind: 'http'; readonly signingSecret: string }
  | { readonly kind: 'socket'; readonly appToken: string };

export interface SlackConfig {
  readonly botToken: string;
  readonly channel: string;
  readonly apiUrl: string;
  readonly transport: SlackTransport;
}

const NAMES = [
  'SLACK_BOT_TOKEN',
  'SLACK_SIGNING_SECRET',
  'SLACK_APP_TOKEN',
  'SLACK_CHANNEL',
  'SLACK_API_URL',
] as const satisfies OwnName[];

/** Slack's part of the configuration; undefined when no one asked for Slack, or when it was refused. */
export function readSlack(reader: Reader): SlackConfig | undefined {
  if (NAMES.every((name) => reader.given(name) === undefined)) return undefined;
  const token = 'Copy it from the page of the Slack app';
  const botToken = reader.matching(
    'SLACK_BOT_TOKEN',
    /^xoxb-/,
    'is not a bot token',
    `${token}; it begins with xoxb-.`,
  );
  const channel = reader.matching(
    'SLACK_CHANNEL',
    /^[CG][A-Z0-9]{2,}$/,
    'is not the id of a channel',
    'Write its id, such as C012AB3CD (channel → About → Channel ID), not its name.',
  );
  const apiUrl = reader.matching(
    'SLACK_API_URL',
    /^https?:\/\/\S+$/,
    'is not a URL',
    'Write https://…, or leave it out.',
  );
  for (const name of ['SLACK_BOT_TOKEN', 'SLACK_CHANNEL'] as const)
    if (reader.text(name) === undefined)
      reader.refuse(name, 'is missing', 'Other Slack settings are there; set this one too, or none of them.');
  const transport = readTransport(reader);
  return botToken && channel && apiUrl && transport ? { botToken, channel, apiUrl, transport } : undefined;
}

function readTransport(reader: Reader): SlackTransport | undefined {
  const signingSecret = reader.text('SLACK_SIGNING_SECRET');
  const appToken = reader.matching(
    'SLACK_APP_TOKEN',
    /^xapp-/,
    'is not an app-level token',
    'Make one with the scope connections:write; it begins with xapp-.',
  );
  if (signingSecret !== undefined && reader.text('SLACK_APP_TOKEN') !== undefined)
    return reader.refuse(
      'SLACK_APP_TOKEN',
      'is set together with SLACK_SIGNING_SECRET',
      'Keep SLACK_APP_TOKEN for Socket Mode, or SLACK_SIGNING_SECRET when Slack reaches us over HTTP.',
    );
  if (signingSecret !== undefined) return { kind: 'http', signingSecret };
  if (appToken !== undefined) return { kind: 'socket', appToken };
  if (reader.text('SLACK_APP_TOKEN') === undefined)
    reader.refuse(
      'SLACK_SIGNING_SECRET',
      'is missing',
      'Set it when Slack reaches us over HTTP, or SLACK_APP_TOKEN for Socket Mode.',
    );
  return undefined;
}
