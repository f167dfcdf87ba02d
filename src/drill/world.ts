import { randomBytes } from 'node:crypto';
import type { Env } from '../core/connector.ts';
import { Failure } from '../core/failure.ts';
import { Faults } from '../core/simulator.ts';
import { listen, listenerOf } from '../listen.ts';
import type { Person } from '../policy/policy.ts';
import type { World } from './scenario.ts';

export const ACCOUNT = '123456789012';

/** Simulated providers on this machine, and the only settings that a bot among them is given. */
export interface OpenWorld extends World {
  /** The connectors' settings: every one of them points into this world. Nothing of the process's environment is in it. */
  readonly env: Env;
  /** Throws Failure `denied` for any address but this world's own. */
  readonly guard: (url: URL) => void;
  readonly close: () => Promise<void>;
}

/** Starts the simulators on ports of their own. `propagationMs` is how long they take to mean what they answered. */
export async function openWorld({
  now,
  propagationMs,
}: {
  readonly now: () => Date;
  readonly propagationMs: number;
}): Promise<OpenWorld> {
  // Not with the program: a bot in earnest never needs them.
  const { createAwsSimulator } = await import('../../connectors/aws-iam/simulator.ts');
  const { createGithubSimulator } = await import('../../connectors/github/simulator.ts');
  const aws = createAwsSimulator({ account: ACCOUNT, now, random: (bytes) => randomBytes(bytes), propagationMs });
  const github = createGithubSimulator({
    now,
    seed: randomBytes(4).readUInt32BE(),
    propagationMs,
    faults: new Faults(),
  });
  const address = { host: '127.0.0.1', port: 0 };
  const awsServer = await listen(listenerOf(aws.fetch), address);
  const githubServer = await listen(listenerOf(github.fetch), address);
  const ours = new Set([awsServer.url, githubServer.url].map((url) => new URL(url).host));
  return {
    aws,
    github,
    now,
    webhookSecret: randomBytes(32).toString('hex'),
    env: { ...aws.env(awsServer.url), ...github.env(githubServer.url) },
    guard(url) {
      if (!ours.has(url.host)) throw new Failure('denied', `This is a drill: nothing may be sent to ${url.host}.`);
    },
    async close() {
      await Promise.all([awsServer.close(), githubServer.close()]);
    },
  };
}

/** Whoever sits at the table: the person at the keyboard may decide everything, and did not ask for the revocation. */
export const PEOPLE: readonly Person[] = [
  { id: 'you', name: 'You, on call', roles: ['responder', 'lead', 'approver'], authn: ['console:local', 'cli:local'] },
  { id: 'sam', name: 'Sam, security lead', roles: ['lead', 'approver'], authn: ['slack:U000000002'] },
];
