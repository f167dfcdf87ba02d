import { IncomingMessage } from 'node:http';
import { type Context, Hono } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Clock } from '../core/clock.ts';
import type { Severity } from '../core/finding.ts';
import type { Traces } from '../core/traces.ts';
import { type BodyLimits, readBody } from './body.ts';
import type { Arrival, Inbox } from './inbox.ts';
import { scrub } from './patterns.ts';
import { mostSevere } from './severity.ts';
import type { RawRequest, WebhookSource } from './source.ts';
import type { Uploads } from './uploads.ts';
import type { Urgency } from './urgency.ts';

export interface IngestOptions {
  readonly sources: readonly WebhookSource[];
  readonly inbox: Inbox;
  readonly clock: Clock;
  readonly limits: BodyLimits;
  /** Without it, as much may be uploaded at once as anyone sends. */
  readonly uploads?: Uploads;
  /** What is not critical gives way to it before it is recorded. */
  readonly urgency?: Urgency;
  readonly traces?: Traces;
  /** An alert was accepted: wakes triage. */
  readonly onAccepted: (id: string, severity: Severity) => void;
  /** Visits a URL of SNS to confirm a subscription; rejects when it cannot. */
  readonly visit: (url: string) => Promise<void>;
  /** Why a delivery was answered 503: the ledger could not be written, or SNS not be reached. For the log and the alarm. */
  readonly onTrouble: (error: unknown) => void;
}

const TITLES = {
  400: 'Incomplete request',
  401: 'Not authenticated',
  404: 'No such source',
  405: 'Method not allowed',
  408: 'Too slow',
  413: 'Too large',
  422: 'Not understood',
  429: 'Too many',
  503: 'Not recorded, try again',
} as const satisfies Partial<Record<ContentfulStatusCode, string>>;
type ProblemStatus = keyof typeof TITLES;

const RETRY_SECONDS = 5;

/**
 * POST /webhooks/:source. Answers 202 `{ id, status }` once the delivery is on disk and in the ledger, whatever triage makes of it
 * later; every refusal is `application/problem+json` (RFC 9457) and, unless the ledger itself fails, an entry.
 */
export function ingestRoutes(options: IngestOptions): Hono {
  const sources = new Map(options.sources.map((source) => [source.name, source]));
  const app = new Hono();
  app.post('/webhooks/:source', async (context) => {
    try {
      return await receive(context, sources.get(context.req.param('source')), options);
    } catch (error) {
      options.onTrouble(error);
      const because = 'The alert could not be recorded, so that it was not accepted. Send it again.';
      return busy(context, 503, because, RETRY_SECONDS);
    }
  });
  app.all('/webhooks/:source', (context) =>
    problem(context, 405, 'Alerts are sent with POST.', { headers: { allow: 'POST' } }),
  );
  return app;
}

async function receive(context: Context, source: WebhookSource | undefined, options: IngestOptions): Promise<Response> {
  const { inbox } = options;
  const refuse = async (status: ProblemStatus, because: string, size: number, at?: string): Promise<Response> => {
    const name = source?.name ?? 'webhooks'; // a path that a stranger chose is not a source
    await inbox.reject({ source: name, status, because: at ? `${at}: ${because}` : because, size });
    // Past a body that was not read to its end, the connection cannot carry another request.
    const headers = status === 413 || status === 408 ? { connection: 'close' } : {};
    return problem(context, status, because, { headers, ...(at !== undefined && { at }) });
  };
  if (!source) return refuse(404, 'No alert source of this name is configured.', 0);
  const declared = Number(context.req.header('content-length') ?? options.limits.maxBytes);
  const release = options.uploads?.reserve(peerOf(context), Math.min(declared, options.limits.maxBytes));
  if (release === null) return busy(context, 503, 'Too much is being sent at once. Send it again.', 1);
  try {
    return await take(context, source, options, refuse);
  } finally {
    release?.();
  }
}

async function take(
  context: Context,
  source: WebhookSource,
  options: IngestOptions,
  refuse: (status: ProblemStatus, because: string, size: number, at?: string) => Promise<Response>,
): Promise<Response> {
  const { inbox, clock } = options;
  const from = clock.now();
  const read = await readBody(context.req.raw, options.limits);
  if (!read.ok) return refuse(read.status, read.because, read.size);
  const request: RawRequest = { headers: context.req.header(), body: read.body };
  const size = read.body.length;
  const authenticated = await source.authenticate(request, clock.now());
  if (!authenticated.ok && authenticated.status === 503) throw new Error(authenticated.because);
  if (!authenticated.ok) return refuse(401, authenticated.because, size);
  const { delivery } = authenticated;
  const actor = { kind: 'source', id: source.name, authn: source.authn } as const;
  const arrival = { source: source.name, delivery, request, actor };
  const parsed = source.parse(request);
  switch (parsed.kind) {
    case 'findings': {
      const severity = mostSevere(parsed.findings);
      const admit = (): Promise<Response> => admitted(context, options, { ...arrival, severity }, from);
      return severity === 'critical' || !options.urgency ? admit() : options.urgency.after(admit);
    }
    case 'nothing': {
      const { id } = await inbox.note({ ...arrival, because: parsed.because });
      return context.json({ id, status: 'nothing' }, 202);
    }
    case 'confirm-subscription': {
      const because = `SNS asks to confirm the subscription to ${parsed.topic}; its address is visited.`;
      const { id } = await inbox.note({ ...arrival, because });
      await options.visit(parsed.url); // again for a redelivery: the first visit may have failed
      return context.json({ id, status: 'nothing' }, 202);
    }
    case 'invalid':
      return refuse(422, parsed.message, size, parsed.at);
  }
}

/** Takes the alert in, if there is room. */
async function admitted(
  context: Context,
  { inbox, clock, urgency, traces, onAccepted }: IngestOptions,
  arrival: Arrival & { readonly severity: Severity },
  from: Date,
): Promise<Response> {
  const { source, delivery, severity, request } = arrival;
  const refusal = await inbox.refusal(source, severity);
  if (refusal) {
    const { status, because, retryAfterSeconds } = refusal;
    await inbox.reject({
      source,
      status,
      because,
      size: request.body.length,
      ...(arrival.actor && { actor: arrival.actor }),
    });
    return busy(context, status, because, retryAfterSeconds);
  }
  const onItsWay = `${source}:${delivery}`;
  if (severity === 'critical') urgency?.begin(onItsWay);
  try {
    const received = await inbox.accept(arrival);
    if (received.status === 'accepted') {
      traces?.arrived(received.id, from, clock.now());
      onAccepted(received.id, severity);
    }
    return context.json(received, 202);
  } finally {
    if (severity === 'critical') urgency?.end(onItsWay);
  }
}

const busy = (context: Context, status: 429 | 503, because: string, seconds: number): Response =>
  problem(context, status, because, { headers: { 'retry-after': String(seconds) } });

/** The address at the other end of the connection; all behind one proxy are one. */
function peerOf(context: Context): string {
  const bindings: unknown = context.env;
  if (typeof bindings !== 'object' || bindings === null || !('incoming' in bindings)) return '';
  return bindings.incoming instanceof IncomingMessage ? (bindings.incoming.socket.remoteAddress ?? '') : '';
}

function problem(
  context: Context,
  status: ProblemStatus,
  detail: string,
  more: { readonly at?: string; readonly headers?: Record<string, string> } = {},
): Response {
  const { at, headers } = more;
  const body = {
    type: 'about:blank',
    title: TITLES[status],
    status,
    detail: scrub(detail),
    ...(at !== undefined && { at: scrub(at) }),
  };
  return context.body(JSON.stringify(body), status, { ...headers, 'content-type': 'application/problem+json' });
}
