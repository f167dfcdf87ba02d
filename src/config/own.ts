import { isDuration, milliseconds } from '../core/duration.ts';
import type { Reader } from './reader.ts';
import type { OwnName } from './settings.ts';

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export function readPort(reader: Reader): number | undefined {
  const text = reader.text('PORT') ?? '';
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  return reader.refuse('PORT', 'is not a port', 'Write a number from 0 to 65535.');
}

export function readLogLevel(reader: Reader): LogLevel | undefined {
  const text = reader.text('LOG_LEVEL');
  const level = LOG_LEVELS.find((each) => each === text);
  return level ?? reader.refuse('LOG_LEVEL', 'is not a log level', `Write one of ${LOG_LEVELS.join(', ')}.`);
}

export function readMasterKey(reader: Reader): Buffer | undefined {
  const text = reader.text('TOURNIQUET_MASTER_KEY');
  if (text === undefined) return undefined;
  const key = Buffer.from(text, 'base64');
  if (key.length === 32 && key.toString('base64') === text) return key;
  return reader.refuse(
    'TOURNIQUET_MASTER_KEY',
    'is not 32 bytes in base64',
    'Make one with `openssl rand -base64 32`; if there is a database already, it needs the key that it was made with.',
  );
}

/** The name of the log: that of its key where the key is given. */
/** Where people open the console, as they see it; undefined when they see what we listen on. */
export function readPublicUrl(reader: Reader): URL | undefined {
  const given = reader.given('TOURNIQUET_PUBLIC_URL');
  if (given === undefined) return undefined;
  const url = URL.canParse(given) ? new URL(given) : undefined;
  const plain = url && ['http:', 'https:'].includes(url.protocol) && url.pathname === '/' && !url.search && !url.hash;
  if (plain && !url.username) return url;
  return reader.refuse(
    'TOURNIQUET_PUBLIC_URL',
    'is not the address of a console',
    'Write for example https://tourniquet.example.com, without a path.',
  );
}

export function readOrigin(
  reader: Reader,
  mode: 'sandbox' | 'live',
  hostname: string,
  logKey: { readonly name: string } | undefined,
): string | undefined {
  if (mode === 'sandbox') return 'tourniquet/sandbox';
  const given = reader.given('TOURNIQUET_ORIGIN');
  if (given === undefined) return logKey?.name ?? `tourniquet/${hostname}`;
  if (logKey && logKey.name !== given)
    return reader.refuse(
      'TOURNIQUET_ORIGIN',
      `is not the log that TOURNIQUET_LOG_KEY belongs to, ${logKey.name}`,
      'Leave it out, or give the key of this log.',
    );
  return reader.matching(
    'TOURNIQUET_ORIGIN',
    /^[^\s+\p{Cc}]+$/u,
    'cannot name a log',
    'Write a name without spaces and plus signs, such as tourniquet.example.com/log.',
  );
}

/** What proves where an alert comes from; a source without any is not served. */
export interface Sources {
  readonly github: readonly string[];
  readonly generic: readonly string[];
  readonly snsTopicArns: readonly string[];
}

const SHORTEST_SECRET = 16;

export function readSources(reader: Reader): Sources {
  const secretsOf = (name: OwnName, secrets: readonly string[]): readonly string[] => {
    if (secrets.some((secret) => secret.length < SHORTEST_SECRET))
      reader.refuse(
        name,
        `is shorter than ${SHORTEST_SECRET} characters: whoever guesses it can make the bot revoke`,
        'Make one with `openssl rand -hex 32` and set it at the sender too.',
      );
    return secrets;
  };
  const only = (name: OwnName): readonly string[] => secretsOf(name, [reader.text(name) ?? []].flat());
  const topics = reader.list('SNS_TOPIC_ARNS');
  for (const topic of topics)
    if (!/^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w.-]+$/.test(topic))
      reader.refuse(
        'SNS_TOPIC_ARNS',
        `holds "${topic}", which is not a topic`,
        'Write arn:aws:sns:REGION:ACCOUNT:NAME.',
      );
  return {
    github: [
      ...only('GITHUB_WEBHOOK_SECRET'),
      ...secretsOf('GITHUB_WEBHOOK_SECRETS', reader.list('GITHUB_WEBHOOK_SECRETS')),
    ],
    generic: only('TOURNIQUET_WEBHOOK_SECRET'),
    snsTopicArns: topics,
  };
}

export function readBrake(reader: Reader): { readonly most: number; readonly windowMs: number } | undefined {
  const [, most, window = ''] = /^(\d{1,4})\/(\w+)$/.exec(reader.text('TOURNIQUET_BRAKE') ?? '') ?? [];
  if (most !== undefined && isDuration(window)) return { most: Number(most), windowMs: milliseconds(window) };
  return reader.refuse(
    'TOURNIQUET_BRAKE',
    'is not a number and a time',
    'Write for example 10/10m: ten credentials in ten minutes. 0/1m lets people decide always.',
  );
}

/** How much is taken in, and how it is let go of. */
export interface Intake {
  readonly perSource: { readonly most: number; readonly windowMs: number };
  readonly most: number;
}

export function readIntake(reader: Reader): Intake | undefined {
  const [, perSource, window = ''] = /^(\d{1,9})\/(\w+)$/.exec(reader.text('TOURNIQUET_SOURCE_LIMIT') ?? '') ?? [];
  if (!(Number(perSource) > 0 && isDuration(window) && milliseconds(window) > 0))
    return reader.refuse(
      'TOURNIQUET_SOURCE_LIMIT',
      'is not a number and a time',
      'Write for example 100000/1m: a hundred thousand alerts a minute from each source.',
    );
  const most = reader.matching(
    'TOURNIQUET_INBOX_MAX',
    /^[1-9]\d{0,8}$/,
    'is not a number above 0',
    'Write for example 200000.',
  );
  if (most === undefined) return undefined;
  return { perSource: { most: Number(perSource), windowMs: milliseconds(window) }, most: Number(most) };
}

export function readDrainWait(reader: Reader): number | undefined {
  const text = reader.text('TOURNIQUET_DRAIN_WAIT') ?? '';
  if (isDuration(text)) return milliseconds(text);
  return reader.refuse('TOURNIQUET_DRAIN_WAIT', 'is not a time', 'Write for example 5s.');
}

export function readMetricsToken(reader: Reader): string | undefined {
  const token = reader.text('TOURNIQUET_METRICS_TOKEN');
  if (token === undefined || token.length >= SHORTEST_SECRET) return token;
  return reader.refuse(
    'TOURNIQUET_METRICS_TOKEN',
    `is shorter than ${SHORTEST_SECRET} characters`,
    'Make one with `openssl rand -hex 32`.',
  );
}

export function readOtlpEndpoint(reader: Reader): string | undefined {
  const text = reader.text('OTEL_EXPORTER_OTLP_ENDPOINT');
  if (text === undefined || /^https?:$/.test(URL.parse(text)?.protocol ?? '')) return text;
  return reader.refuse('OTEL_EXPORTER_OTLP_ENDPOINT', 'is not an address', 'Write for example http://127.0.0.1:4318.');
}
