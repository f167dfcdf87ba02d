import { randomBytes } from 'node:crypto';
import { createAwsSimulator } from '../../connectors/aws-iam/simulator.ts';
import { createGithubSimulator } from '../../connectors/github/simulator.ts';
import type { Env } from '../../src/core/connector.ts';
import { Faults } from '../../src/core/simulator.ts';
import { ACCOUNT } from '../../src/drill/world.ts';
import { type Listening, listen, listenerOf } from '../../src/listen.ts';

/** One call that would change something, as it reached the simulated AWS. */
export interface Change {
  readonly replica: string;
  readonly action: string;
  readonly user: string;
  readonly applied: boolean;
}

/** What becomes of the call that a trap catches: `answer-lost` is applied and never answered, `lost` never arrives. */
export type Loss = 'answer-lost' | 'lost';

export interface Caught {
  readonly replica: string;
  /** Ends the connection of the call that was caught. */
  release(): void;
}

/** Simulated AWS and GitHub over HTTP. Each replica has an address of its own, so that it is known who calls. */
export interface Providers {
  readonly changes: readonly Change[];
  envFor(replica: string): Promise<Env>;
  /** Leaks a fresh key of a fresh user; resolves with the alert that GitHub sends. */
  leak(user: string): { readonly path: string; readonly headers: Record<string, string>; readonly body: string };
  /** Catches the next call of `action`, whoever makes it. */
  trap(action: string, loss: Loss): Promise<Caught>;
  readonly webhookSecret: string;
  close(): Promise<void>;
}

const WHERE = { owner: 'acme', repo: 'web' };
const ADDRESS = { host: '127.0.0.1', port: 0 };

export async function openProviders(): Promise<Providers> {
  const now = (): Date => new Date();
  const aws = createAwsSimulator({ account: ACCOUNT, now, random: (bytes) => randomBytes(bytes), propagationMs: 200 });
  const github = createGithubSimulator({
    now,
    seed: randomBytes(4).readUInt32BE(),
    propagationMs: 200,
    faults: new Faults(),
  });
  github.world.repository(WHERE, { visibility: 'public' });
  const githubServer = await listen(listenerOf(github.fetch), ADDRESS);
  const servers: Listening[] = [githubServer];
  const webhookSecret = randomBytes(32).toString('hex');
  const changes: Change[] = [];
  let trap: { readonly action: string; readonly loss: Loss; readonly caught: (caught: Caught) => void } | undefined;

  async function serve(replica: string, request: Request): Promise<Response> {
    const parameters = new URLSearchParams(await request.clone().text());
    const action = parameters.get('Action') ?? '';
    const user = parameters.get('UserName') ?? '';
    const armed = trap?.action === action ? trap : undefined;
    if (armed) trap = undefined;
    const response = armed?.loss === 'lost' ? null : await aws.fetch(request);
    if (/^(Update|Create|Put|Delete|Attach|Detach)/.test(action))
      changes.push({ replica, action, user, applied: response?.ok === true });
    if (!armed && response) return response;
    await new Promise<void>((release) => armed?.caught({ replica, release }));
    return new Response(null, { status: 504 }); // what a proxy says that waited in vain
  }

  return {
    changes,
    webhookSecret,
    async envFor(replica) {
      const server = await listen(
        listenerOf((request) => serve(replica, request)),
        ADDRESS,
      );
      servers.push(server);
      return { ...aws.env(server.url), ...github.env(githubServer.url) };
    },
    leak(user) {
      aws.world.addUser(ACCOUNT, user, ['AdministratorAccess']);
      const leaked = aws.world.addKey(ACCOUNT, user);
      const alert = github.world.addAlert(WHERE, {
        secret: leaked.id,
        secretType: 'aws_access_key_id',
        publiclyLeaked: true,
      });
      return { path: '/webhooks/github', ...github.signedWebhook(alert, 'publicly_leaked', webhookSecret) };
    },
    trap: (action, loss) =>
      new Promise((caught) => {
        trap = { action, loss, caught };
      }),
    async close() {
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}
