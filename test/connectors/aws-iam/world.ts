import { serve } from '@hono/node-server';
import { awsIam } from '../../../connectors/aws-iam/index.ts';
import { type AwsSimulator, createAwsSimulator } from '../../../connectors/aws-iam/simulator.ts';
import type { Env, Outside } from '../../../src/core/connector.ts';
import { Failure } from '../../../src/core/failure.ts';
import type { CallContext } from '../../../src/sdk.ts';
import type { TestWorld } from '../../connector.suite.ts';

export const ACCOUNT = '123456789012';
export const USER = 'deploy-bot';
export const ROLE = 'deployer';
export const SECRET_NAME = 'prod/deploy-bot';
export const where = { account: ACCOUNT, user: USER };
export const sink = { kind: 'aws.secrets-manager', secretId: SECRET_NAME };

/** Bytes that are the same in every run and look like nothing in particular. */
export function seeded(seed = 1): (bytes: number) => Uint8Array {
  let state = seed;
  return (bytes) =>
    Uint8Array.from({ length: bytes }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    });
}

export interface AwsTestWorld extends TestWorld {
  readonly sim: AwsSimulator;
  readonly url: string;
  /** The leaked key. */
  readonly key: { readonly id: string; readonly secret: string };
  readonly advance: (ms: number) => void;
}

export interface AwsTestOptions {
  readonly propagationMs?: number;
  /** More settings for the connector, or `undefined` to take one away. */
  readonly env?: Env;
  readonly outside?: Partial<Outside>;
  readonly secret?: CallContext['secret'];
}

/** A simulated AWS over real HTTP, with one leaked key, and the connector pointed at it. */
export async function openAws(options: AwsTestOptions = {}): Promise<AwsTestWorld> {
  let clock = Date.parse('2026-03-01T12:00:00.000Z');
  const now = (): Date => new Date(clock);
  const sim = createAwsSimulator({
    account: ACCOUNT,
    now,
    random: seeded(),
    propagationMs: options.propagationMs ?? 0,
  });
  sim.world.addUser(ACCOUNT, USER, ['AdministratorAccess']);
  sim.world.addRole(ACCOUNT, ROLE, { attached: ['AdministratorAccess'] });
  sim.world.addSecret(ACCOUNT, SECRET_NAME, { accessKeyId: 'old', secretAccessKey: 'old', database: 'orders' });
  const key = sim.world.addKey(ACCOUNT, USER);
  const { url, close } = await served(sim.fetch);
  const env = { ...sim.env(url), ...options.env };
  const connector = awsIam.connector.open(env, { now, guard: () => {}, ...options.outside });
  return {
    sim,
    url,
    key,
    connector,
    faults: sim.faults,
    now,
    advance: (ms) => {
      clock += ms;
    },
    secrets: () => sim.world.secrets(),
    secret:
      options.secret ??
      (async (ref) => {
        if (ref === `sealed:${key.id}`) return key.secret;
        throw new Failure('missing', 'The secret was destroyed.');
      }),
    close,
  };
}

function served(fetch: (request: Request) => Promise<Response>): Promise<{ url: string; close: () => Promise<void> }> {
  return new Promise((resolve) => {
    const server = serve({ fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) =>
      resolve({
        url: `http://127.0.0.1:${port}`,
        close: () =>
          new Promise((closed) => {
            server.close(() => closed());
            if ('closeAllConnections' in server) server.closeAllConnections();
          }),
      }),
    );
  });
}
