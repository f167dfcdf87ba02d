import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { genericHeaders } from '../ingest/signing.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const EXTENSIONS = fileURLToPath(new URL('./extensions', import.meta.url));

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface FloodBot extends AsyncDisposable {
  readonly url: string;
  readonly dataDir: string;
  readonly child: ChildProcess;
  /** Everything that it printed. */
  output(): string;
  /** Signs and posts an alert to /webhooks/generic over a connection that is kept. */
  post(alert: object): Promise<Answer>;
  rssMb(): number;
  /** As an operator would: SIGTERM, and wait for the end. */
  stop(): Promise<void>;
}

/** A real bot, in a process of its own, that contains keys of the vendor at `vendorUrl`. */
export async function startBot(vendorUrl: string, env: Readonly<Record<string, string>> = {}): Promise<FloodBot> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tourniquet-flood-'));
  const secret = randomBytes(24).toString('hex');
  const people = join(dataDir, 'people.json');
  writeFileSync(people, JSON.stringify([{ id: 'ana', name: 'Ana', roles: ['lead'] }]));
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, 'start'], {
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PORT: '0',
      TOURNIQUET_DATA_DIR: dataDir,
      TOURNIQUET_PEOPLE: people,
      TOURNIQUET_WEBHOOK_SECRET: secret,
      TOURNIQUET_EXTENSIONS: EXTENSIONS,
      TOURNIQUET_BRAKE: '1000/1m',
      VENDOR_URL: vendorUrl,
      LOG_LEVEL: 'warn',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (chunk: string) => {
        output = (output + chunk).slice(-100_000);
        const found = /is live on (http:\S+)/.exec(output);
        if (found?.[1]) resolve(found[1]);
      });
    child.once('exit', () => reject(new Error(`the bot did not start:\n${output}`)));
  });
  const agent = new Agent({ keepAlive: true }); // no limit: an alert must not wait here, for a connection
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    await once(child, 'exit');
  };
  return {
    url,
    dataDir,
    child,
    output: () => output,
    post: (alert) => {
      const body = Buffer.from(JSON.stringify(alert));
      const headers = { ...genericHeaders(secret, body, new Date()), 'content-length': body.length };
      return new Promise((resolve, reject) => {
        const sent = request(`${url}/webhooks/generic`, { method: 'POST', agent, headers }, (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
        });
        sent.on('error', reject);
        sent.end(body);
      });
    },
    rssMb: () => Number(execFileSync('ps', ['-o', 'rss=', '-p', String(child.pid)], { encoding: 'utf8' })) / 1_024,
    stop,
    async [Symbol.asyncDispose]() {
      agent.destroy();
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export const alert = (severity: 'critical' | 'low', name: string): object => ({
  id: name,
  title: `A key of ${name} in a log`,
  severity,
  detectedAt: new Date().toISOString(),
  credential: { kind: 'vendor.key', id: name },
});
