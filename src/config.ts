import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import canonicalize from 'canonicalize';
import { type LogKey, readDatabaseUrl, readLogKey, requireSharedKeys } from './config/database.ts';
import {
  type Intake,
  type LogLevel,
  readBrake,
  readDrainWait,
  readIntake,
  readLogLevel,
  readMasterKey,
  readMetricsToken,
  readOrigin,
  readOtlpEndpoint,
  readPort,
  readPublicUrl,
  readSources,
  type Sources,
} from './config/own.ts';
import { connectorProblems, unknownVariables, withoutSecrets } from './config/problems.ts';
import { type Problem, Reader } from './config/reader.ts';
import { asksForLive, meantForUs, settingsTable } from './config/settings.ts';
import { readSlack, type SlackConfig } from './config/slack.ts';
import type { Connector, Env } from './core/connector.ts';
import { emptyInventory, type Inventory, parseInventory } from './inventory.ts';
import { BadPolicy, compile, type PolicyTexts } from './policy/compile.ts';
import { diskFiles, type Files } from './policy/files.ts';
import { defaultTexts, policyTexts } from './policy/load.ts';
import type { Person } from './policy/policy.ts';
import { parsePeople } from './policy/roster.ts';

export { type Problem, problemText } from './config/reader.ts';
export { type Setting, settingsTable } from './config/settings.ts';

/** Everything that the environment and the files it names say, checked. */
export interface Config {
  /** `sandbox` when nothing of ours is configured: simulated providers, and another ledger. AWS_REGION and its like do not count. */
  readonly mode: 'sandbox' | 'live';
  readonly host: string;
  readonly port: number;
  /** Where people open the console, when that is not what we listen on. */
  readonly publicUrl?: URL;
  readonly dataDir: string;
  readonly logLevel: LogLevel;
  /** The name of the custody log. */
  readonly origin: string;
  /** Absent: the caller keeps one in the file master.key of the data folder. */
  readonly masterKey?: Buffer;
  /** PostgreSQL, where several replicas keep everything. Absent: SQLite in the data folder. Holds a password. */
  readonly databaseUrl?: string;
  /** Absent: the caller keeps one in the file log.key of the data folder. */
  readonly logKey?: LogKey;
  readonly sources: Sources;
  readonly slack?: SlackConfig;
  readonly people: readonly Person[];
  readonly policy: PolicyTexts;
  readonly inventory: Inventory;
  readonly extensionsDir?: string;
  readonly brake: { readonly most: number; readonly windowMs: number };
  readonly intake: Intake;
  readonly drainWaitMs: number;
  readonly metricsToken?: string;
  readonly otlpEndpoint?: string;
  /** For the connectors: the environment without its blank variables. */
  readonly env: Env;
  /** Of everything above that is not secret, for `tool.configSha256` in the ledger. */
  readonly sha256: string;
}

export type ConfigResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** What configuration is read from besides the environment. */
export interface Machine extends Files {
  readonly hostname: string;
}

export const thisMachine = (): Machine => ({ ...diskFiles, hostname: hostname() });

/** Where extensions are: they are loaded first, because their connectors bring settings of their own. */
export const extensionsDirOf = (env: Env): string | undefined => withoutBlanks(env).TOURNIQUET_EXTENSIONS;

/**
 * Reads the whole configuration, and the settings of every connector that is configured. Half a configuration is refused;
 * all problems are reported at once, and no secret appears in one.
 */
export function readConfig(given: Env, machine: Machine, connectors: readonly Connector[]): ConfigResult {
  const env = withoutBlanks(given);
  const reader = new Reader(env, machine);
  const mode = modeOf(env, connectors);
  const port = readPort(reader);
  const publicUrl = readPublicUrl(reader);
  const logLevel = readLogLevel(reader);
  const masterKey = readMasterKey(reader);
  const databaseUrl = mode === 'live' ? readDatabaseUrl(reader) : undefined;
  const logKey = readLogKey(reader, machine);
  if (mode === 'live') requireSharedKeys(reader);
  const origin = readOrigin(reader, mode, machine.hostname, logKey);
  const sources = readSources(reader);
  const slack = readSlack(reader);
  const people = readPeople(reader, mode);
  const policy = readPolicy(reader, machine);
  const inventory = reader.file('TOURNIQUET_INVENTORY', parseInventory, emptyInventory);
  const brake = readBrake(reader);
  const intake = readIntake(reader);
  const drainWaitMs = readDrainWait(reader);
  const metricsToken = readMetricsToken(reader);
  const otlpEndpoint = readOtlpEndpoint(reader);
  const extensionsDir = extensionsDirOf(env);
  const table = settingsTable(connectors);
  const strangers = unknownVariables(env, new Set(table.map(({ name }) => name)));
  const problems = [
    ...reader.problems,
    ...(mode === 'live' ? connectors.flatMap((each) => connectorProblems(each, env)) : []),
    ...strangers,
  ];
  const secrets = table.flatMap(({ name, secret }) => (secret ? (env[name]?.split(',') ?? []) : []));
  if (
    problems.length > 0 ||
    port === undefined ||
    !logLevel ||
    !origin ||
    !brake ||
    !intake ||
    drainWaitMs === undefined
  )
    return { ok: false, problems: problems.map((problem) => withoutSecrets(problem, secrets)) };
  const base = reader.text('TOURNIQUET_DATA_DIR') ?? '';
  return {
    ok: true,
    config: {
      mode,
      host: reader.text('HOST') ?? '',
      port,
      ...(publicUrl ? { publicUrl } : {}),
      dataDir: mode === 'sandbox' ? join(base, 'sandbox') : base,
      logLevel,
      origin,
      ...(masterKey ? { masterKey } : {}),
      ...(databaseUrl === undefined ? {} : { databaseUrl }),
      ...(logKey ? { logKey } : {}),
      sources,
      ...(slack ? { slack } : {}),
      people,
      policy,
      inventory,
      ...(extensionsDir === undefined ? {} : { extensionsDir }),
      brake,
      intake,
      drainWaitMs,
      ...(metricsToken === undefined ? {} : { metricsToken }),
      ...(otlpEndpoint === undefined ? {} : { otlpEndpoint }),
      env,
      sha256: fingerprint(env, table, { policy, files: reader.texts }),
    },
  };
}

const withoutBlanks = (env: Env): Env =>
  Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''));

function modeOf(env: Env, connectors: readonly Connector[]): 'sandbox' | 'live' {
  return Object.keys(env).some(asksForLive) || connectors.some((connector) => connector.configured(meantForUs(env)))
    ? 'live'
    : 'sandbox';
}

function readPeople(reader: Reader, mode: Config['mode']): readonly Person[] {
  if (mode === 'live' && reader.text('TOURNIQUET_PEOPLE') === undefined)
    reader.refuse(
      'TOURNIQUET_PEOPLE',
      'is missing, so that nobody could approve, undo or stop anything',
      'Name a JSON file such as [{"id":"ana","name":"Ana","roles":["lead"],"slack":"U012AB3CD"}].',
    );
  return reader.file('TOURNIQUET_PEOPLE', parsePeople, []);
}

/** The texts, compiled once here only to report what is wrong with them together with everything else. */
function readPolicy(reader: Reader, files: Files): PolicyTexts {
  const dir = reader.text('TOURNIQUET_POLICY');
  try {
    const texts = dir === undefined ? defaultTexts() : policyTexts(dir, files);
    compile(texts);
    return texts;
  } catch (error) {
    if (!(error instanceof BadPolicy)) throw error;
    for (const problem of error.problems)
      reader.refuse(
        'TOURNIQUET_POLICY',
        `names policies that cannot be used: ${problem}`,
        'Correct it; until then nothing starts.',
      );
    return {};
  }
}

function fingerprint(env: Env, table: ReturnType<typeof settingsTable>, files: object): string {
  const settings = Object.fromEntries(
    table.flatMap(({ name, secret }) => (env[name] === undefined ? [] : [[name, secret ? 'set' : env[name]]])),
  );
  return createHash('sha256')
    .update(canonicalize({ settings, ...files }) ?? '')
    .digest('hex');
}
