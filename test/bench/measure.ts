import { join } from 'node:path';
import Database from 'better-sqlite3';
import { quantile, send, sleep, until } from './load.ts';
import type { Provider } from './provider.ts';
import { type Subject, startUs, type Wiring, type Writes } from './subject.ts';

const GIVE_UP_MS = 120_000;

export interface Bench {
  readonly provider: Provider;
  readonly secret: string;
  /** A key that nobody used before. */
  readonly key: () => string;
}

export interface Latency {
  readonly p50: number;
  readonly p99: number;
}

/** From the 202 to the first change at the provider, of `count` alerts at `perSecond`. */
export async function containment(
  { url }: Subject,
  { provider, secret, key }: Bench,
  { perSecond, count, latencyMs }: { perSecond: number; count: number; latencyMs: number },
): Promise<Latency> {
  provider.latencyMs = latencyMs;
  const began = performance.now();
  const sent: Promise<{ id: string; at: number | null }>[] = [];
  for (let i = 0; i < count; i += 1) {
    await sleep(Math.max(0, began + (i * 1_000) / perSecond - performance.now()));
    const id = key();
    sent.push(send(url, secret, id).then((at) => ({ id, at })));
  }
  const accepted = await Promise.all(sent);
  if (accepted.some(({ at }) => at === null)) throw new Error('an alert was not accepted');
  await until('every key disabled', GIVE_UP_MS, () => accepted.every(({ id }) => provider.proved.has(id)));
  const took = accepted.map(({ id, at }) => (provider.disabled.get(id)?.at ?? Number.NaN) - (at ?? Number.NaN));
  return { p50: quantile(took, 0.5), p99: quantile(took, 0.99) };
}

export interface Flood {
  readonly acceptedPerSecond: number;
  readonly alertsPerSecond: number;
}

/** `count` alerts as fast as they are taken: how fast that is, and how fast all of them are contained and proved. */
export async function flood({ url }: Subject, { provider, secret, key }: Bench, count: number): Promise<Flood> {
  provider.latencyMs = 0;
  const ids = Array.from({ length: count }, key);
  const began = performance.now();
  const answers = await Promise.all(ids.map((id) => send(url, secret, id)));
  const accepted = performance.now();
  if (answers.some((at) => at === null)) throw new Error('an alert was not accepted');
  await until('every key proved dead', GIVE_UP_MS, () => ids.every((id) => provider.proved.has(id)));
  const ended = performance.now();
  return {
    acceptedPerSecond: (count * 1_000) / (accepted - began),
    alertsPerSecond: (count * 1_000) / (ended - began),
  };
}

/** Milliseconds from starting the process to its first 202. */
export async function coldStart(start: () => Promise<Subject>, { secret, key }: Bench): Promise<number> {
  const began = performance.now();
  const subject = await start();
  const at = await send(subject.url, secret, key());
  await subject.kill();
  if (at === null) throw new Error('the first alert was not accepted');
  return at - began;
}

/** Kills it with `count` alerts in flight, starts it again, and counts what was never done and what was done twice. */
export async function killed(
  wiring: Wiring,
  { provider, secret, key }: Bench,
  count: number,
): Promise<{ readonly lost: number; readonly doubled: number }> {
  provider.latencyMs = 5;
  const first = await startUs(wiring);
  const ids = Array.from({ length: count }, key);
  const disabled = (): number => ids.filter((id) => provider.disabled.has(id)).length;
  const answers = ids.map(async (id) => ({ id, at: await send(first.url, secret, id) }));
  await until('a quarter disabled', GIVE_UP_MS, () => disabled() >= count / 4);
  await first.kill();
  const accepted = (await Promise.all(answers)).filter(({ at }) => at !== null);
  const second = await startUs(wiring);
  const lost = (): number => accepted.filter(({ id }) => !provider.proved.has(id)).length;
  await until('the rest', GIVE_UP_MS, () => lost() === 0).catch(() => {});
  await second.kill();
  return { lost: lost(), doubled: ids.filter((id) => (provider.disabled.get(id)?.times ?? 0) > 1).length };
}

/** What one alert writes when nothing else happens: read from our own database afterwards. */
export function journalWrites(dataDir: string, alerts: number): Writes {
  const db = new Database(join(dataDir, 'tourniquet.sqlite'), { readonly: true });
  const one = (sql: string): number => Number(db.prepare<[], { n: number }>(sql).get()?.n);
  const writes = one('select count(*) as n from checkpoint');
  const after = one(
    `select count(*) as n from checkpoint where size > (select min(seq) + 1 from ledger where type = 'result' and cast(bytes as text) like '%"step":"contain/disable"%')`,
  );
  const size = one('select avg(length(bytes)) as n from ledger');
  const entries = one('select count(*) as n from ledger');
  db.close();
  return {
    before: Math.round((writes - after) / alerts),
    after: Math.round(after / alerts),
    bytes: Math.round((size * entries) / writes),
  };
}
