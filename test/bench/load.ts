import { createHmac } from 'node:crypto';
import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** Sends one signed alert about `key`. Resolves with when it was answered, or null when it was not accepted. */
export function send(url: string, secret: string, key: string, tries = 3): Promise<number | null> {
  const body = JSON.stringify({
    id: key,
    title: 'A key of the benchmark leaked',
    severity: 'critical',
    exposure: 'public',
    detectedAt: new Date().toISOString(),
    credential: { kind: 'bench.key', id: key },
  });
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const signature = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'x-tourniquet-timestamp': timestamp,
    'x-tourniquet-signature': `v1=${signature}`,
  };
  return new Promise((resolve) => {
    const sent = request(`${url}/webhooks/generic`, { method: 'POST', agent, headers }, (response) => {
      const at = performance.now();
      response.resume();
      response.on('end', () => {
        if (response.statusCode !== 202) process.stderr.write(`${key} was answered ${response.statusCode}\n`);
        resolve(response.statusCode === 202 ? at : null);
      });
    });
    // A kept connection may close just as it is used again: as every sender of webhooks does, it is sent once more.
    sent.on('error', () => resolve(tries > 1 ? send(url, secret, key, tries - 1) : null));
    sent.end(body);
  });
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Resolves when `done` says so. Rejects after `withinMs`, naming what did not come. */
export async function until(what: string, withinMs: number, done: () => boolean): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!done()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs / 1_000} s`);
    await sleep(2);
  }
}

/** The value below which a share `q` of `values` lies. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)] ?? Number.NaN;
}
