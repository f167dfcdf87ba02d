import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FloodVendor extends AsyncDisposable {
  readonly url: string;
  /** Resolves with the time (`performance.now`) at which the key was switched off here. */
  switchedOff(id: string): Promise<number>;
}

/** A vendor with keys `critical-*` that takes `latencyMs` for every answer; it knows no others. */
export async function openVendor(latencyMs: number): Promise<FloodVendor> {
  const off = new Map<string, number>();
  const waiting = new Map<string, (at: number) => void>();
  const server = createServer((request, response) => {
    const id = request.url?.split('/').at(-1) ?? '';
    request.resume();
    setTimeout(() => {
      if (request.method === 'PUT') {
        const at = performance.now();
        off.set(id, at);
        waiting.get(id)?.(at);
      }
      response.statusCode = id.startsWith('critical-') ? 200 : 404;
      response.end(JSON.stringify({ status: off.has(id) ? 'off' : 'on' }));
    }, latencyMs);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    switchedOff: (id) => {
      const at = off.get(id);
      return at === undefined ? new Promise((resolve) => waiting.set(id, resolve)) : Promise.resolve(at);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
