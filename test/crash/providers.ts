import { randomBytes } from 'node:crypto';
import { type AwsSimulator, createAwsSimulator } from '../../connectors/aws-iam/simulator.ts';
import { createGithubSimulator, type GithubSimulator } from '../../connectors/github/simulator.ts';
import { VirtualClock } from '../../src/core/clock.ts';
import type { Env } from '../../src/core/connector.ts';
import type { World } from '../../src/drill/scenario.ts';
import { ACCOUNT } from '../../src/drill/world.ts';
import { type Listening, listen, listenerOf } from '../../src/listen.ts';

/** One request at a simulated provider: `act` makes the provider do it. The answer is given when this resolves. */
export type Tap = (request: { readonly name: string; readonly number: number }, act: Act) => Promise<Response>;
export type Act = () => Promise<Response>;

/** Simulated AWS and GitHub in the test's process: they outlive every bot, and count what was really done to them. */
export class Providers implements World {
  readonly clock: VirtualClock;
  readonly webhookSecret = randomBytes(32).toString('hex');
  readonly aws: AwsSimulator;
  readonly github: GithubSimulator;
  /** Every change that a provider applied, in order. */
  readonly effects: string[] = [];
  /** The names of all requests, in order. */
  readonly requests: string[] = [];
  tap: Tap = (_request, act) => act();
  #servers: readonly Listening[] = [];
  #env: Env = {};

  constructor(start: Date) {
    this.clock = new VirtualClock(start);
    const now = (): Date => this.clock.now();
    this.aws = createAwsSimulator({
      account: ACCOUNT,
      now,
      random: (bytes) => randomBytes(bytes),
      propagationMs: 3_000,
    });
    this.github = createGithubSimulator({ now, seed: randomBytes(4).readUInt32BE(), propagationMs: 3_000 });
  }

  static async open(start = new Date('2026-01-01T03:00:00.000Z')): Promise<Providers> {
    const providers = new Providers(start);
    const { aws, github } = providers;
    const address = { host: '127.0.0.1', port: 0 };
    const awsServer = await listen(listenerOf(providers.#through(aws.fetch, awsAction)), address);
    const githubServer = await listen(listenerOf(providers.#through(github.fetch, githubAction)), address);
    providers.#servers = [awsServer, githubServer];
    providers.#env = { ...aws.env(awsServer.url), ...github.env(githubServer.url) };
    return providers;
  }

  readonly now = (): Date => this.clock.now();

  get env(): Env {
    return this.#env;
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.close()));
  }

  #through(fetch: (request: Request) => Promise<Response>, nameOf: (request: Request) => Promise<Action>) {
    return async (request: Request): Promise<Response> => {
      const { name, changes } = await nameOf(request.clone());
      this.requests.push(name);
      return this.tap({ name, number: this.requests.length }, async () => {
        const response = await fetch(request);
        if (changes && response.ok) this.effects.push(name);
        return response;
      });
    };
  }
}

interface Action {
  readonly name: string;
  readonly changes: boolean;
}

async function awsAction(request: Request): Promise<Action> {
  const body = await request.text();
  const target = request.headers.get('x-amz-target')?.split('.').at(-1);
  const form = new URLSearchParams(target === undefined ? body : '');
  const action = target ?? form.get('Action') ?? '';
  const about = ['UserName', 'RoleName', 'PolicyName', 'Status'].flatMap((name) => form.get(name) ?? []);
  return { name: [action, ...about].join(' '), changes: !/^(Get|List|Lookup|AssumeRole|Describe)/.test(action) };
}

async function githubAction(request: Request): Promise<Action> {
  const { pathname } = new URL(request.url);
  const changes = request.method !== 'GET' && !pathname.endsWith('/access_tokens');
  return { name: `${request.method} ${pathname}`, changes };
}
