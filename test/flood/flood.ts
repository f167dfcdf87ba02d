import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { DATABASE } from '../../src/modes/bot.ts';
import { alert, type FloodBot, startBot } from './bot.ts';
import { type FloodVendor, openVendor } from './vendor.ts';

export interface FloodResult {
  readonly acceptedPerSecond: number;
  /** From the critical alert's request to the vendor switching its key off: medians, in milliseconds. */
  readonly idleMs: number;
  readonly floodMs: number;
  /** Of the same run: how much longer under the flood. */
  readonly slower: number;
  readonly accepted: number;
  readonly refused: number;
  /** Answered 202 and not in the inbox, or not in the ledger. */
  readonly lost: number;
  readonly rssMb: { readonly idle: number; readonly secondThird: number; readonly lastThird: number };
  /** How much more memory in the last third of the flood than in the second. */
  readonly grown: number;
}

const LATENCY_MS = 20;
const AT_ONCE = 64;
const CRITICAL = 7;

/** Posts `low` alerts of low severity as fast as they are taken, critical ones in between, and looks at what became of all. */
export async function flood(low: number): Promise<FloodResult> {
  await using vendor = await openVendor(LATENCY_MS);
  await using bot = await startBot(vendor.url, { TOURNIQUET_SOURCE_LIMIT: `${low * 2}/1m` });
  const contain = criticalOf(bot, vendor);
  await contain('critical-warm-up');
  const idle: number[] = [];
  for (let i = 0; i < CRITICAL; i += 1) idle.push(await contain(`critical-idle-${i}`));
  const rssIdle = bot.rssMb();

  const ids: string[] = [];
  const rss: { readonly done: number; readonly mb: number }[] = [];
  let [next, done, refused] = [0, 0, 0];
  const began = performance.now();
  const sender = async (): Promise<void> => {
    while (next < low) {
      next += 1;
      const { status, body } = await bot.post(alert('low', `low-${next}`));
      done += 1;
      if (status === 202) ids.push((JSON.parse(body) as { id: string }).id);
      else refused += 1;
      if (done % Math.ceil(low / 60) === 0) rss.push({ done, mb: bot.rssMb() });
    }
  };
  const senders = Promise.all(Array.from({ length: AT_ONCE }, sender)).then(() => performance.now() - began);
  const under: number[] = [];
  for (let i = 0; i < CRITICAL; i += 1) {
    await until(() => done >= (low * (i + 1)) / (CRITICAL + 2));
    if (done < low) under.push(await contain(`critical-flood-${i}`));
  }
  const tookMs = await senders;
  await bot.stop();

  const between = (from: number, to: number): number =>
    mean(rss.filter((each) => each.done > low * from && each.done <= low * to).map(({ mb }) => mb));
  const rssMb = { idle: rssIdle, secondThird: between(1 / 3, 2 / 3), lastThird: between(2 / 3, 1) };
  const [idleMs, floodMs] = [median(idle), median(under)];
  return {
    acceptedPerSecond: Math.round((ids.length / tookMs) * 1_000),
    idleMs: Math.round(idleMs),
    floodMs: Math.round(floodMs),
    slower: round(floodMs / idleMs),
    accepted: ids.length,
    refused,
    lost: lostOf(bot, ids),
    rssMb: { idle: round(rssMb.idle), secondThird: round(rssMb.secondThird), lastThird: round(rssMb.lastThird) },
    grown: round(rssMb.lastThird / rssMb.secondThird),
  };
}

const criticalOf =
  (bot: FloodBot, vendor: FloodVendor) =>
  async (name: string): Promise<number> => {
    const sent = performance.now();
    const { status, body } = await bot.post(alert('critical', name));
    if (status !== 202) throw new Error(`the critical alert was refused: ${body}`);
    return (await vendor.switchedOff(name)) - sent;
  };

function lostOf({ dataDir }: FloodBot, ids: readonly string[]): number {
  const db = new Sqlite(join(dataDir, DATABASE), { readonly: true });
  try {
    const rows = new Set(db.prepare('select id from inbox').pluck().all());
    const entries = db.prepare("select count(*) from ledger where type = 'alert.received'").pluck().get();
    const missing = ids.filter((id) => !rows.has(id)).length;
    return missing + Math.max(0, ids.length - Number(entries));
  } finally {
    db.close();
  }
}

async function until(true_: () => boolean): Promise<void> {
  while (!true_()) await new Promise((resolve) => setTimeout(resolve, 5));
}

const round = (value: number): number => Math.round(value * 100) / 100;
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
