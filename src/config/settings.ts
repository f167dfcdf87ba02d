import { z } from 'zod';
import type { Connector, Env } from '../core/connector.ts';

/** One environment variable, as the README's table shows it. */
export interface Setting {
  readonly name: string;
  readonly about: string;
  /** What holds when it is not set; absent when nothing does. */
  readonly default?: string;
  /** Its value never appears in a message, a log or the ledger. */
  readonly secret?: true;
  /** The connector that it belongs to. */
  readonly connector?: string;
}

/** The variables of Tourniquet itself; those of connectors stand in their own schemas. */
export const OWN = {
  PORT: { about: 'The port to listen on; 0 for any free one', default: '8080' },
  HOST: { about: 'The address to listen on; 0.0.0.0 inside a container', default: '127.0.0.1' },
  TOURNIQUET_PUBLIC_URL: {
    about: 'The address at which people open the console, for the links on cards; behind a proxy, or in a container',
    default: 'http://HOST:PORT',
  },
  LOG_LEVEL: { about: 'fatal, error, warn, info, debug, trace or silent', default: 'info' },
  TOURNIQUET_DATA_DIR: {
    about: 'The folder of the database and the keys; the sandbox lives in its folder sandbox',
    default: './.tourniquet',
  },
  TOURNIQUET_MASTER_KEY: {
    about:
      'Seals secrets in the database: 32 random bytes in base64 (openssl rand -base64 32). Without it, the file master.key ' +
      'in the data folder is made on first start',
    secret: true,
  },
  DATABASE_URL: {
    about:
      'A PostgreSQL database for several replicas (postgres://…), in place of SQLite in the data folder. By itself it asks for ' +
      'nothing, as other programs read it too; the sandbox ignores it',
    secret: true,
  },
  TOURNIQUET_LOG_KEY: {
    about:
      'The key that signs the custody log, as text or the path of its file; all replicas have the same. Without it, the file ' +
      'log.key in the data folder is made on first start',
    secret: true,
  },
  TOURNIQUET_ORIGIN: {
    about: 'The name of the custody log, which auditors check it by',
    default: 'tourniquet/HOSTNAME',
  },
  TOURNIQUET_PEOPLE: { about: 'A JSON file of who may do what: id, name, roles and how each comes in' },
  TOURNIQUET_POLICY: { about: 'A folder of Cedar policies in place of the default ones' },
  TOURNIQUET_INVENTORY: { about: 'A JSON file of what is known of your credentials: owner, environment, protected, …' },
  TOURNIQUET_EXTENSIONS: { about: 'A folder with connectors/ and runbooks/ of your own' },
  TOURNIQUET_BRAKE: {
    about: 'How many credentials the bot may contain by itself within a time; beyond it, people are asked',
    default: '10/10m',
  },
  TOURNIQUET_SOURCE_LIMIT: {
    about: 'How many alerts one source may hand in within a time; a tenth more is kept for critical ones. Past it: 429',
    default: '100000/1m',
  },
  TOURNIQUET_INBOX_MAX: {
    about: 'How many alerts may wait for triage; a tenth more is kept for critical ones. Past it: 503',
    default: '200000',
  },
  TOURNIQUET_METRICS_TOKEN: {
    about: 'What a reader of /metrics sends as bearer token; without it, only this machine may read them',
    secret: true,
  },
  TOURNIQUET_DRAIN_WAIT: {
    about: 'How long /readyz says 503 before the doors close, so that a load balancer sees it',
    default: '0s',
  },
  TOURNIQUET_WITNESSES: {
    about: 'Who cosigns the custody log (C2SP tlog-witness): key and address, VKEY URL, several separated by commas',
  },
  TOURNIQUET_TIMESTAMPS: {
    about:
      'Who stamps the custody log with the time (RFC 3161): a short name and an address, NAME URL, separated by commas',
  },
  TOURNIQUET_LOG_PUBLIC_ENTRIES: {
    about:
      'yes to let whoever reaches the port read the entries of the log at /log/tile/entries/; hashes are served always',
    default: 'no',
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: { about: 'Where traces are sent by OTLP over HTTP, such as http://127.0.0.1:4318' },
  GITHUB_WEBHOOK_SECRET: { about: 'The secret of the GitHub webhook for secret scanning alerts', secret: true },
  GITHUB_WEBHOOK_SECRETS: { about: 'Several of them, separated by commas, while one replaces another', secret: true },
  SNS_TOPIC_ARNS: { about: 'The SNS topics that alerts are taken from, separated by commas' },
  TOURNIQUET_WEBHOOK_SECRET: { about: 'The secret that signs deliveries to /webhooks/generic', secret: true },
  SLACK_BOT_TOKEN: { about: 'The bot token of the Slack app (xoxb-…)', secret: true },
  SLACK_SIGNING_SECRET: { about: 'The signing secret of the Slack app, when Slack reaches us over HTTP', secret: true },
  SLACK_APP_TOKEN: { about: 'An app-level token (xapp-…), for Socket Mode in place of HTTP', secret: true },
  SLACK_CHANNEL: { about: 'The id of the channel that incidents are posted to (C…)' },
  SLACK_API_URL: { about: 'Another Slack API, such as a simulator', default: 'https://slack.com/api/' },
} as const satisfies Record<string, Omit<Setting, 'name'>>;

export type OwnName = keyof typeof OWN;

/** Set for the sandbox too, or by other programs. */
const SANDBOX_TOO = [
  'PORT',
  'HOST',
  'LOG_LEVEL',
  'TOURNIQUET_PUBLIC_URL',
  'TOURNIQUET_DATA_DIR',
  'DATABASE_URL',
  'TOURNIQUET_SOURCE_LIMIT',
  'TOURNIQUET_INBOX_MAX',
  'TOURNIQUET_METRICS_TOKEN',
  'TOURNIQUET_DRAIN_WAIT',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
];

/** Set on many machines for other programs: by themselves they are no wish that a bot should act on what they lead to. */
const FOR_OTHERS = [
  'AWS_REGION',
  'AWS_PROFILE',
  'AWS_ENDPOINT_URL',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'GITHUB_TOKEN',
  'GITHUB_API_URL',
];

/** `env` without what other programs may have put there. */
export const meantForUs = (env: Env): Env =>
  Object.fromEntries(Object.entries(env).filter(([name]) => !FOR_OTHERS.includes(name)));

/** Whether setting it means that someone wants more than the sandbox. */
export const asksForLive = (name: string): boolean => Object.hasOwn(OWN, name) && !SANDBOX_TOO.includes(name);

/** Every variable that is read: our own, then those of the connectors, made from their schemas. */
export const settingsTable = (connectors: readonly Connector[]): readonly Setting[] => [
  ...Object.entries(OWN).map(([name, setting]) => ({ name, ...setting })),
  ...connectors.flatMap(settingsOf),
];

const settingsOf = ({ name: connector, settings }: Connector): Setting[] =>
  Object.entries(settings.shape).map(([name, schema]) => {
    const { about = '', fallback, secret } = describe(schema);
    return {
      name,
      about,
      ...(fallback === undefined ? {} : { default: fallback }),
      ...(secret ? { secret } : {}),
      connector,
    };
  });

interface Described {
  readonly about?: string | undefined;
  readonly fallback?: string | undefined;
  readonly secret?: true | undefined;
}

/** What a schema says of itself, or of what it wraps: `.optional()` after `.describe()` hides the description. */
function describe(schema: z.core.$ZodType): Described {
  const meta = z.globalRegistry.get(schema);
  const inner = wrapped(schema);
  const within: Described = inner ? describe(inner) : {};
  const fallback = schema instanceof z.ZodDefault ? String(schema.def.defaultValue) : undefined;
  return {
    about: meta?.description ?? within.about,
    fallback: fallback ?? within.fallback,
    secret: meta?.secret === true ? true : within.secret,
  };
}

function wrapped(schema: z.core.$ZodType): z.core.$ZodType | undefined {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodNullable)
    return schema.unwrap();
  return schema instanceof z.ZodPipe ? schema.in : undefined;
}
