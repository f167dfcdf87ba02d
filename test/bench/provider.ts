import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The provider that both sides call: it answers after `latencyMs`, and remembers when each key was disabled, and how often. */
export interface Provider {
  readonly url: string;
  latencyMs: number;
  /** By key: `performance.now()` of the first disabling, and how many there were. */
  readonly disabled: ReadonlyMap<string, { readonly at: number; times: number }>;
  /** Keys that were asked about after they were disabled: the last call of a run. */
  readonly proved: ReadonlySet<string>;
  calls: number;
  close(): Promise<void>;
}

export async function openProvider(): Promise<Provider> {
  const disabled = new Map<string, { readonly at: number; times: number }>();
  const proved = new Set<string>();
  const provider = { url: '', latencyMs: 0, disabled, proved, calls: 0, close };
  const server = createServer((request, response) => {
    provider.calls += 1;
    request.resume();
    const [, , id = '', what] = request.url?.split('/') ?? [];
    if (what === 'disable') {
      const known = disabled.get(id);
      if (known) known.times += 1;
      else disabled.set(id, { at: performance.now(), times: 1 });
    }
    if (what === 'use' && disabled.has(id)) proved.add(id);
    const body = JSON.stringify({ id, active: !disabled.has(id), since: '2026-01-01T00:00:00.000Z' });
    const answer = (): void => {
      response.setHeader('content-type', 'application/json').end(body);
    };
    if (provider.latencyMs > 0) setTimeout(answer, provider.latencyMs);
    else answer();
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  provider.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  async function close(): Promise<void> {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  return provider;
}
