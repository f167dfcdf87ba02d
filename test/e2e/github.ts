import { createHmac, randomInt } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGithubSimulator } from '../../connectors/github/simulator.ts';
import type { Env } from '../../src/core/connector.ts';
import { listen, listenerOf } from '../../src/listen.ts';
import { must } from './processes.ts';

/** Which alert a captured payload is about. */
export interface AlertAt {
  readonly owner: string;
  readonly repo: string;
  readonly number: number;
}

/** The simulated GitHub, with one alert on a token that works, looked at over HTTP as anybody would. */
export interface Github {
  readonly settings: Env;
  /** The token that leaked. */
  readonly token: string;
  /** The status that GitHub answers the token with: 200 while it works, 401 once it is dead. */
  tokenStatus(): Promise<number>;
  alert(): { readonly state: string; readonly resolution: string | null };
  /** How often it was told to revoke something. */
  revocations(): number;
  stop(): Promise<void>;
}

export async function openGithub({ owner, repo, number }: AlertAt): Promise<Github> {
  const simulator = createGithubSimulator({
    now: () => new Date(),
    seed: randomInt(2 ** 32),
    propagationMs: 1_500,
  });
  const { world } = simulator;
  const token = world.addToken('ghp', 'octocat', { scopes: ['repo'] });
  const first = world.addAlert({ owner, repo }, { secret: token, secretType: 'github_personal_access_token' });
  const { alerts } = world.repository({ owner, repo });
  alerts.set(number, { ...world.alert(first), number }); // as if there had been others before it
  if (first.number !== number) alerts.delete(first.number);
  let revocations = 0;
  const { url, close } = await listen(
    listenerOf((request) => {
      if (request.method === 'POST' && new URL(request.url).pathname === '/credentials/revoke') revocations += 1;
      return simulator.fetch(request);
    }),
    { host: '127.0.0.1', port: 0 },
  );
  return {
    settings: simulator.env(url),
    token,
    async tokenStatus() {
      const response = await fetch(`${url}/user`, { headers: { authorization: `token ${token}` } });
      await response.arrayBuffer();
      return response.status;
    },
    alert: () => world.alert({ owner, repo, number }),
    revocations: () => revocations,
    stop: close,
  };
}

export interface Delivery {
  readonly body: Buffer;
  readonly secret: string;
  readonly delivery: string;
}

/** Sends a webhook with curl, signed with `secret`. Answers the status and the body of the answer. */
export async function deliver(
  dir: string,
  bot: string,
  { body, secret, delivery }: Delivery,
): Promise<{ readonly status: number; readonly body: string }> {
  const file = join(dir, `${delivery}.json`);
  await writeFile(file, body);
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'GitHub-Hookshot/044aadd',
    'x-github-event': 'secret_scanning_alert',
    'x-github-delivery': delivery,
    'x-hub-signature-256': `sha256=${signature}`,
  };
  const said = await must(
    'curl',
    [
      ...['--silent', '--show-error', '--noproxy', '*', '--max-time', '20', '--write-out', '\n%{http_code}'],
      ...Object.entries(headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]),
      ...['--data-binary', `@${file}`, `${bot}/webhooks/github`],
    ],
    { env: { PATH: process.env.PATH } },
  );
  const [status = '', ...lines] = said.split('\n').reverse();
  return { status: Number(status), body: lines.reverse().join('\n') };
}
