import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answer, addCheckpoint, type WitnessOptions } from './witness.ts';

export interface WitnessServer {
  /** The submission prefix, with the port that was really taken. */
  readonly url: string;
  close(): Promise<void>;
}

const MAX_BODY = 64 * 1024; // 63 lines of proof and a hundred signatures
const WITHIN_MS = 10_000;

export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** Our own code failed; the request was answered with 500. */
  readonly onError: (error: unknown) => void;
}

/** Serves add-checkpoint, and nothing else. Rejects when the port cannot be taken. */
export async function serveWitness(
  options: WitnessOptions,
  { host, port, onError }: ListenOptions,
): Promise<WitnessServer> {
  const server = createServer({ requestTimeout: WITHIN_MS }, (request, response) => {
    handle(options, request, response).catch((error: unknown) => {
      onError(error);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function handle(options: WitnessOptions, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [path] = (request.url ?? '').split('?');
  if (path !== '/add-checkpoint')
    return send(response, 404, 'text/plain; charset=utf-8', 'POST /add-checkpoint is all there is\n');
  if (request.method !== 'POST') return send(response, 405, 'text/plain; charset=utf-8', 'POST it\n');
  const body = await bodyOf(request);
  if (!body) return send(response, 413, 'text/plain; charset=utf-8', 'Too long\n');
  const answer: Answer = addCheckpoint(options, body);
  send(response, answer.status, answer.type, answer.body);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > MAX_BODY) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' }).end(body);
}
