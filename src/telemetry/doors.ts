import { timingSafeEqual } from 'node:crypto';
import { IncomingMessage } from 'node:http';
import { type Context, Hono } from 'hono';
import type { Metrics } from './metrics.ts';
import type { Readiness } from './ready.ts';

export interface HealthOptions {
  readonly readiness: () => Promise<Readiness>;
  /** Loads what renders them when they are first asked for. */
  readonly metrics: () => Promise<Metrics>;
  /** What a reader of the metrics must send; without it, only this machine may read them. */
  readonly metricsToken?: string;
  readonly onTrouble: (error: unknown) => void;
}

/** `/healthz`: the process runs. `/readyz`: it can do its work, or 503 and why not. `/metrics`: for Prometheus. */
export function healthRoutes({ readiness, metrics, metricsToken, onTrouble }: HealthOptions): Hono {
  const web = new Hono();
  web.get('/healthz', (context) => context.json({ status: 'ok' }));
  web.get('/readyz', async (context) => {
    const { ready, because, ledger, down } = await readiness();
    return context.json({ status: ready ? 'ready' : 'not ready', because, ledger, down }, ready ? 200 : 503);
  });
  web.get('/metrics', async (context) => {
    if (!mayRead(context, metricsToken))
      return context.text('Metrics are read with the token in TOURNIQUET_METRICS_TOKEN.\n', 401);
    try {
      const { contentType, render } = await metrics();
      return context.body(await render(), 200, { 'content-type': contentType });
    } catch (error) {
      onTrouble(error);
      return context.text('The metrics could not be read; see the log.\n', 503);
    }
  });
  return web;
}

/** Whether the brake is closed is worth knowing to whoever is up to something. */
function mayRead(context: Context, token: string | undefined): boolean {
  if (token === undefined) return isFromHere(context);
  const given = Buffer.from(context.req.header('authorization') ?? '');
  const wanted = Buffer.from(`Bearer ${token}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

/** A proxy on this machine speaks for others, and says so. */
function isFromHere(context: Context): boolean {
  if (context.req.header('x-forwarded-for') !== undefined || context.req.header('forwarded') !== undefined)
    return false;
  const bindings: unknown = context.env;
  if (typeof bindings !== 'object' || bindings === null || !('incoming' in bindings)) return false;
  const address = bindings.incoming instanceof IncomingMessage ? bindings.incoming.socket.remoteAddress : undefined;
  return address !== undefined && /^(127\.|::1$|::ffff:127\.)/.test(address);
}
