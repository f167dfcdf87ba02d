import { randomBytes, randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppOptions } from '../app.ts';
import type { Config } from '../config.ts';
import { type Clock, systemClock } from '../core/clock.ts';
import type { Connector, Env, Outside } from '../core/connector.ts';
import type { Mode } from '../core/entry.ts';
import type { Runbook } from '../core/runbook.ts';
import { noTraces, type Traces } from '../core/traces.ts';
import { fileSigner, generateSigner, type Signer } from '../custody/signer.ts';
import type { WebhookSource } from '../ingest/source.ts';
import { awsHealth } from '../ingest/sources/aws-health.ts';
import { genericSource } from '../ingest/sources/generic.ts';
import { githubSource } from '../ingest/sources/github.ts';
import { guardDuty } from '../ingest/sources/guardduty.ts';
import { snsSource } from '../ingest/sources/sns.ts';
import { fetchText } from '../ingest/visit.ts';
import type { Inventory } from '../inventory.ts';
import { masterKeyIn, openDataDir } from '../keys.ts';
import { openPolicy } from '../policy/open.ts';
import type { Person } from '../policy/policy.ts';
import { openRoster } from '../policy/roster.ts';
import { refuseSkew } from '../store/clock-skew.ts';
import { openPostgres } from '../store/postgres.ts';
import { createSeal } from '../store/sealed.ts';
import { openSqlite } from '../store/sqlite.ts';
import type { Store } from '../store/store.ts';
import { createTraces } from '../telemetry/traces.ts';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};
export const VERSION = version;

/** What the modes differ in. */
export interface BotParts {
  readonly mode: Mode;
  readonly dataDir: string;
  readonly connectors: readonly Connector[];
  readonly runbooks: readonly Runbook[];
  readonly env: Env;
  readonly guard: Outside['guard'];
  readonly sources: readonly WebhookSource[];
  readonly people: readonly Person[];
  readonly inventory: Inventory;
  readonly onError: AppOptions['onError'];
  /** The machine's, unless a drill brings its own. */
  readonly clock?: Clock;
  /** The key kept in the data folder, unless a drill brings its own. */
  readonly signer?: Signer;
}

/** Opens what a bot keeps on disk in `dataDir` (database, keys) and puts the parts of its mode together. */
export async function openBot(config: Config, parts: BotParts): Promise<AppOptions> {
  const dir = openDataDir(parts.dataDir);
  const roster = openRoster(parts.people);
  const signer = parts.signer ?? signerOf(config, dir);
  const clock = parts.clock ?? systemClock;
  return {
    ...parts,
    origin: signer.name,
    // What happens in a sandbox or a drill stays in its folder.
    store: parts.mode === 'live' ? await openStore(config, dir, clock) : await openSqlite(join(dir, DATABASE)),
    signer,
    seal: createSeal(config.masterKey ?? masterKeyIn(dir, randomBytes), randomBytes),
    clock,
    tool: { name: 'tourniquet', version, configSha256: config.sha256 },
    policy: openPolicy(config.policy, roster),
    roster,
    brake: config.brake,
    intake: config.intake,
    traces: tracesOf(config, parts),
    random: randomUUID,
    jitter: Math.random,
  };
}

/** What sends traces is loaded when there is first something to tell: a start must not wait for it. */
function tracesOf({ otlpEndpoint: endpoint }: Config, { mode, onError }: Pick<BotParts, 'mode' | 'onError'>): Traces {
  if (endpoint === undefined || mode === 'drill') return noTraces;
  const open = async () => (await import('../telemetry/otlp.ts')).openOtlp({ endpoint, version, mode });
  const now = (): number => performance.timeOrigin + performance.now();
  return createTraces(open, now, (error) => onError(error, 'the traces'));
}

export const DATABASE = 'tourniquet.sqlite';

async function openStore({ databaseUrl }: Config, dir: string, clock: Clock): Promise<Store> {
  if (databaseUrl === undefined) return openSqlite(join(dir, DATABASE));
  const store = await openPostgres(databaseUrl);
  try {
    await refuseSkew(store, clock);
    return store;
  } catch (error) {
    await store.close();
    throw error;
  }
}

const signerOf = ({ logKey, origin }: Config, dir: string): Signer =>
  logKey ? generateSigner(logKey.name, logKey.seed) : fileSigner(join(dir, 'log.key'), origin);

/** The alert streams that are configured; what has no secret or topic is no source, and its path answers 404. */
export function sourcesOf({ github, generic, snsTopicArns }: Config['sources']): readonly WebhookSource[] {
  return [
    ...(github.length > 0 ? [githubSource({ secrets: github })] : []),
    ...(generic.length > 0 ? [genericSource({ secrets: generic })] : []),
    ...(snsTopicArns.length > 0
      ? [snsSource({ topics: snsTopicArns, fetchCertificate: fetchText, events: [guardDuty, awsHealth] })]
      : []),
  ];
}
