import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { scenarioNames } from '../../src/drill/load.ts';

const ROOT = join(import.meta.dirname, '../..');
const letters = (length: number): string =>
  randomBytes(length)
    .toString('base64')
    .replace(/[^A-Z2-7]/gi, 'Q')
    .slice(0, length);

/** Where everything in the environment points: whoever connects to it has left the drill. */
let real: Server;
let connections = 0;
let url = '';
let home = '';

beforeEach(async () => {
  connections = 0;
  real = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  await new Promise<void>((resolve) => real.listen(0, '127.0.0.1', resolve));
  const address = real.address();
  url = typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : '';
  home = mkdtempSync(join(tmpdir(), 'drill-home-'));
});
afterEach(async () => {
  await new Promise((resolve) => real.close(resolve));
  rmSync(home, { recursive: true, force: true });
});

/** Credentials of the form that real ones have, and every way that is known to send a client somewhere. */
function environment(): NodeJS.ProcessEnv {
  const key = `AKIA${letters(16).toUpperCase()}`;
  const secret = letters(40);
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
  mkdirSync(join(home, '.aws'));
  writeFileSync(
    join(home, '.aws/credentials'),
    `[default]\naws_access_key_id = ${key}\naws_secret_access_key = ${secret}\n`,
  );
  writeFileSync(
    join(home, '.aws/config'),
    `[default]\nregion = eu-west-1\nendpoint_url = ${url}\nservices = all\n[services all]\niam =\n  endpoint_url = ${url}\nsts =\n  endpoint_url = ${url}\n`,
  );
  const endpoints = ['IAM', 'STS', 'CLOUDTRAIL', 'SECRETS_MANAGER'].map((each) => [`AWS_ENDPOINT_URL_${each}`, url]);
  const proxies = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy'].map((each) => [each, url]);
  return {
    PATH: process.env.PATH,
    HOME: home,
    AWS_ACCESS_KEY_ID: key,
    AWS_SECRET_ACCESS_KEY: secret,
    AWS_SESSION_TOKEN: letters(200),
    AWS_PROFILE: 'default',
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL: url,
    AWS_EC2_METADATA_SERVICE_ENDPOINT: url,
    AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}/credentials`,
    ...Object.fromEntries(endpoints),
    TOURNIQUET_AWS_CONTAIN_ROLE_ARN: 'arn:aws:iam::210987654321:role/tourniquet-contain',
    GITHUB_API_URL: url,
    GITHUB_TOKEN: `ghp_${letters(36)}`,
    GITHUB_APP_ID: '12345',
    GITHUB_APP_PRIVATE_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    GITHUB_WEBHOOK_SECRET: letters(32),
    SLACK_API_URL: url,
    SLACK_BOT_TOKEN: ['xoxb', letters(12), letters(24)].join('-'),
    SLACK_SIGNING_SECRET: letters(32),
    SLACK_CHANNEL: 'C0123456789',
    VAULT_ADDR: url,
    ...Object.fromEntries(proxies),
  };
}

async function tourniquet(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<{ code: number | null; out: string }> {
  const child = spawn(process.execPath, ['src/launch.cjs', ...args], { cwd: ROOT, env });
  let out = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (out += chunk));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out };
}

describe('a drill on a machine that is set up for real providers', () => {
  it.each(scenarioNames())('plays %s to its full score and connects to none of them', async (name) => {
    const { code, out } = await tourniquet(
      ['drill', name, '--yes', '--bundle', join(home, 'drill.tar')],
      environment(),
    );
    expect(out).toMatch(/Score: (\d+) of \1 objectives met\./);
    expect(code).toBe(0);
    expect(connections).toBe(0);
  });

  it('does so even where Node itself is told to send everything through a proxy', async () => {
    const env = { ...environment(), NODE_USE_ENV_PROXY: '1' };
    const { code } = await tourniquet(['drill', 'leaked-github-token', '--yes', '--bundle', join(home, 'd.tar')], env);
    expect({ code, connections }).toEqual({ code: 0, connections: 0 });
  });

  it('while the same environment leads the live bot straight to them', async () => {
    const people = join(home, 'people.json');
    writeFileSync(people, JSON.stringify([{ id: 'ana', name: 'Ana', roles: ['lead'], slack: 'U012AB3CD' }]));
    const live = { ...environment(), TOURNIQUET_PEOPLE: people, TOURNIQUET_DATA_DIR: join(home, 'data') };
    const { out } = await tourniquet(['doctor'], live);
    expect({ reached: connections > 0, out }).toEqual({ reached: true, out: expect.any(String) });
  });
});
