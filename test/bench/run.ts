// `npm run bench`: us against the least that could be done, in one run. `--only NAME` for one part, `--json` for programs.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sleep } from './load.ts';
import { type Bench, coldStart, containment, flood, journalWrites, killed } from './measure.ts';
import { openProvider } from './provider.ts';
import { startLimit, startUs } from './subject.ts';
import { type Figures, table } from './table.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const progress = (what: string): void => void process.stderr.write(`  ${what} …\n`);

async function engine(): Promise<void> {
  const provider = await openProvider();
  const dir = await mkdtemp(join(tmpdir(), 'tourniquet-bench-'));
  const secret = randomBytes(32).toString('hex');
  let keys = 0;
  const key = (): string => {
    keys += 1;
    return `key-${keys}`;
  };
  const bench: Bench = { provider, secret, key };
  const wiringOf = (name: string) => ({ dir: join(dir, name), provider: provider.url, secret });
  try {
    // What one alert writes, while nothing else happens.
    const alone = await startUs(wiringOf('alone'));
    await containment(alone, bench, { perSecond: 1, count: 1, latencyMs: 0 });
    await sleep(300);
    await alone.kill();
    const writes = journalWrites(join(dir, 'alone', 'data'), 1);
    say(
      `One alert: ${writes.before} journal writes until the first change, ${writes.after} after it, ${writes.bytes} bytes each; 7 calls.`,
    );

    const measure = async (start: () => ReturnType<typeof startUs>): Promise<Figures> => {
      const starts: number[] = [];
      for (let i = 0; i < (values.quick ? 1 : 3); i += 1) starts.push(await coldStart(start, bench));
      const subject = await start();
      await sleep(1_500);
      const idle = subject.memory().now;
      await containment(subject, bench, { perSecond: 20, count: 40, latencyMs: 0 }); // warm
      const contain: Figures['contain'] = {};
      for (const latencyMs of [0, 50])
        for (const perSecond of [1, 20]) {
          progress(`${perSecond}/s, ${latencyMs} ms`);
          contain[`${perSecond}/s, ${latencyMs} ms`] = await containment(subject, bench, {
            perSecond,
            latencyMs,
            count: perSecond === 1 ? (values.quick ? 5 : 15) : values.quick ? 60 : 200,
          });
        }
      progress('flood');
      const count = values.quick ? 500 : 2_000;
      const cpu = subject.cpuMs();
      const flooded = await flood(subject, bench, count);
      const cpuMsPerAlert = (subject.cpuMs() - cpu) / count;
      const load = subject.memory().most;
      await subject.kill();
      return { contain, ...flooded, cpuMsPerAlert, coldStartMs: Math.min(...starts), rssIdleMb: idle, rssLoadMb: load };
    };
    let run = 0;
    const limit = await measure(() => {
      run += 1;
      return startLimit(wiringOf(`limit-${run}`), writes);
    });
    const us = await measure(() => startUs(wiringOf('us')));
    const crash = await killed(wiringOf('killed'), bench, 200);
    for (const line of table(limit, us, crash)) say(line);
    say(`Machine: ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}.`);
    if (!values.json) return;
    const flat = ({ contain, ...rest }: Figures) => {
      const { p50, p99 } = contain['20/s, 0 ms'] ?? { p50: Number.NaN, p99: Number.NaN };
      return { containP50Ms: p50, containP99Ms: p99, ...rest, contain };
    };
    say(JSON.stringify({ limit: { ...flat(limit), lost: null, doubled: null }, us: { ...flat(us), ...crash } }));
  } finally {
    await provider.close();
    await rm(dir, { recursive: true, force: true });
  }
}

if (values.only === undefined || values.only === 'engine') await engine();
else await import(new URL(`${values.only}.ts`, import.meta.url).href);
process.exit();
