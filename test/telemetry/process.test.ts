import { describe, expect, it } from 'vitest';
import { traceOf } from '../../src/telemetry/traces.ts';
import { alert, type FloodBot, startBot } from '../flood/bot.ts';
import { openVendor } from '../flood/vendor.ts';
import { openCollector } from './collector.ts';

/** Asks until it is as wanted; the test's time limit ends what never is. */
async function until<T>(ask: () => Promise<T>, wanted: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (wanted(answer)) return answer;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const textOf = async ({ url }: FloodBot, path: string, headers: Record<string, string> = {}): Promise<string> =>
  (await fetch(url + path, { headers })).text();
const metric = (text: string, name: string): number =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')
      .at(-1),
  );

describe('a running bot', { timeout: 60_000 }, () => {
  it('traces an alert from its webhook to every call at the provider, in one trace that its incident names', async () => {
    await using vendor = await openVendor(5);
    await using collector = await openCollector();
    await using bot = await startBot(vendor.url, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    await bot.post(alert('critical', 'critical-traced'));
    await until(
      () => textOf(bot, '/metrics'),
      (text) => metric(text, 'tourniquet_contained_total') === 1,
    );
    await bot.stop();

    const root = collector.spans.find(({ name }) => name === 'alert generic');
    const names = collector.spans.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'ingest',
        'queue',
        'triage',
        'identify vendor.key',
        'read vendor.alive',
        'before vendor.disable',
        'run vendor.disable',
        'confirm vendor.alive',
      ]),
    );
    expect(new Set(collector.spans.map(({ traceId }) => traceId))).toEqual(new Set([root?.traceId]));
    const others = collector.spans.filter((span) => span !== root);
    expect(new Set(others.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([root?.spanId]));
    const incident = /"tourniquet\.incident","value":\{"stringValue":"([^"]+)"/.exec(collector.text())?.[1] ?? '';
    expect(traceOf(incident)).toEqual({ traceId: root?.traceId, rootId: root?.spanId });
    expect(collector.spans.every((span) => span.endTimeUnixNano >= span.startTimeUnixNano)).toBe(true);
  });

  it('contains, and ends when told to, though nobody takes its traces', async () => {
    await using vendor = await openVendor(5);
    await using bot = await startBot(vendor.url, { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' });
    await bot.post(alert('critical', 'critical-untraced'));
    await vendor.switchedOff('critical-untraced');
    await bot.stop();
    expect(bot.child.exitCode).toBe(0);
  });

  it('counts what it was sent and what it did, with labels from lists of ours only', async () => {
    await using vendor = await openVendor(5);
    await using bot = await startBot(vendor.url);
    const once = alert('critical', 'critical-counted');
    await bot.post(once);
    await bot.post(once);
    await fetch(`${bot.url}/webhooks/generic`, { method: 'POST', body: 'from anyone' });
    await fetch(`${bot.url}/webhooks/${'made-up-'.repeat(5)}`, { method: 'POST', body: '{}' });
    const text = await until(
      () => textOf(bot, '/metrics'),
      (each) => metric(each, 'tourniquet_time_to_contain_seconds_count') === 1,
    );
    for (const line of [
      'tourniquet_alerts_total{source="generic",outcome="accepted"} 1',
      'tourniquet_alerts_total{source="generic",outcome="duplicate"} 1',
      'tourniquet_alerts_total{source="generic",outcome="rejected"} 1',
      'tourniquet_alerts_total{source="webhooks",outcome="rejected"} 1',
      'tourniquet_breaker{connector="vendor",state="closed"} 1',
      'tourniquet_contained_total 1',
      'tourniquet_frozen 0',
      'tourniquet_braked 0',
    ])
      expect(text).toContain(`${line}\n`);
    expect(metric(text, 'tourniquet_ledger_entries')).toBeGreaterThan(10);
    expect(text).not.toMatch(/made-up|critical-counted|INC-/);
  });

  it('shows its metrics to this machine, or to whoever has the token, and to nobody else', async () => {
    await using vendor = await openVendor(5);
    await using open = await startBot(vendor.url);
    expect((await fetch(`${open.url}/metrics`)).status).toBe(200);
    expect((await fetch(`${open.url}/metrics`, { headers: { 'x-forwarded-for': '203.0.113.9' } })).status).toBe(401);
    const token = 'only for this test, and long';
    await using closed = await startBot(vendor.url, { TOURNIQUET_METRICS_TOKEN: token });
    expect((await fetch(`${closed.url}/metrics`)).status).toBe(401);
    expect((await fetch(`${closed.url}/metrics`, { headers: { authorization: 'Bearer guessed' } })).status).toBe(401);
    expect((await fetch(`${closed.url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).status).toBe(200);
  });

  it('says that it is stopping before it closes its doors', async () => {
    await using vendor = await openVendor(5);
    await using bot = await startBot(vendor.url, { TOURNIQUET_DRAIN_WAIT: '2s' });
    await until(
      () => fetch(`${bot.url}/readyz`),
      ({ status }) => status === 200,
    );
    const ended = bot.stop();
    const answer = await until(
      () => fetch(`${bot.url}/readyz`),
      ({ status }) => status === 503,
    );
    expect(await answer.json()).toMatchObject({ status: 'not ready', because: ['It is stopping.'] });
    expect((await fetch(`${bot.url}/healthz`)).status).toBe(200);
    expect((await bot.post(alert('low', 'low-late'))).status).toBe(202); // the doors are still open
    await ended;
    expect(bot.child.exitCode).toBe(0);
  });
});
