import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';

export interface Listening {
  /** `http://127.0.0.1:PORT`, with the port that was really taken. */
  readonly url: string;
  /** Takes no more connections; requests under way have a moment to be answered. */
  close(): Promise<void>;
}

const GRACE_MS = 1_000;

export type Fetch = (request: Request) => Response | Promise<Response>;

export const listenerOf = (fetch: Fetch): RequestListener => getRequestListener(fetch);

/** Serves `listener`. Rejects in words when the port is taken or not ours to take. */
export async function listen(
  listener: RequestListener,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<Listening> {
  const server = createServer(listener);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new Error(whyNot(error, host, port), { cause: error })),
    );
    server.listen(port, host, resolve);
  });
  const address: AddressInfo | string | null = server.address();
  const taken = typeof address === 'object' && address ? address.port : port;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      // Live pages hold their connection open for as long as they are looked at.
      const timer = setTimeout(() => server.closeAllConnections(), GRACE_MS);
      await closed;
      clearTimeout(timer);
    },
  };
}

function whyNot(error: NodeJS.ErrnoException, host: string, port: number): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return `Port ${port} is taken by another program. Stop that one, or choose another port: PORT=8081.`;
    case 'EACCES':
      return `Port ${port} may not be taken by this user. Choose one above 1023: PORT=8080.`;
    case 'EADDRNOTAVAIL':
      return `This machine has no address ${host}. Use HOST=127.0.0.1, or HOST=0.0.0.0 for every address.`;
    default:
      return `Listening on ${host}:${port} failed (${error.code ?? error.message}).`;
  }
}
