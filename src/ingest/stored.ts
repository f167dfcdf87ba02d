import { z } from 'zod';
import { reportFormat } from './reports/detect-format.ts';
import { invalid, shapedJson } from './shape.ts';
import type { Parsed, RawRequest, WebhookSource } from './source.ts';

/** The `source` of an alert that came as a report file is this and the format's name. */
export const REPORT = 'report:';
/** Holds, as JSON, what the command line said about a report file. */
export const REPORT_HEADER = 'x-tourniquet-report';

const reportContext = z.record(z.string(), z.json());

/**
 * Parses again what the inbox kept, without asking for its signature: it was verified before it was stored, and the seal shows that
 * nothing changed since. Pure and total.
 */
export function storedParser(sources: readonly WebhookSource[]): (source: string, request: RawRequest) => Parsed {
  const webhooks = new Map(sources.map((source) => [source.name, source]));
  return (name, request) => {
    const webhook = webhooks.get(name);
    if (webhook) return webhook.parse(request);
    const format = name.startsWith(REPORT) ? reportFormat(name.slice(REPORT.length)) : undefined;
    if (!format) return invalid('', `The source ${name} is no longer configured, so that its alerts cannot be read.`);
    const context = shapedJson(reportContext, Buffer.from(request.headers[REPORT_HEADER] ?? ''));
    return context.ok ? format.parse(request.body, context.value) : context.invalid;
  };
}
