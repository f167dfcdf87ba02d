import type { Latency } from './measure.ts';

/** What was measured of one side. */
export interface Figures {
  /** By load: accepted → first change at the provider. */
  readonly contain: Record<string, Latency>;
  readonly acceptedPerSecond: number;
  readonly alertsPerSecond: number;
  /** Processor time of one alert, from its arrival to its end. */
  readonly cpuMsPerAlert: number;
  readonly coldStartMs: number;
  readonly rssIdleMb: number;
  readonly rssLoadMb: number;
}

const round = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(1));

/** The results as a Markdown table. */
export function table(limit: Figures, us: Figures, crash: { lost: number; doubled: number }): string[] {
  const line = (name: string, a: number, b: number, compared: string): string =>
    `| ${name} | ${round(a)} | ${round(b)} | ${compared} |`;
  const added = (a: number, b: number): string => `${b < a ? '−' : '+'}${round(Math.abs(b - a))}`;
  const share = (a: number, b: number): string => `${(b / a).toFixed(2)}`;
  return [
    '| | limit | us | us − limit, or us ÷ limit |',
    '|---|---|---|---|',
    ...Object.entries(us.contain).flatMap(([load, { p50, p99 }]) => {
      const other = limit.contain[load] ?? { p50: Number.NaN, p99: Number.NaN };
      return [
        line(`Accepted → first change, p50, ${load} (ms)`, other.p50, p50, added(other.p50, p50)),
        line(`Accepted → first change, p99, ${load} (ms)`, other.p99, p99, added(other.p99, p99)),
      ];
    }),
    line(
      'Flood: accepted/s',
      limit.acceptedPerSecond,
      us.acceptedPerSecond,
      share(limit.acceptedPerSecond, us.acceptedPerSecond),
    ),
    line(
      'Flood: contained and proved/s',
      limit.alertsPerSecond,
      us.alertsPerSecond,
      share(limit.alertsPerSecond, us.alertsPerSecond),
    ),
    line(
      'Cold start to the first 202 (ms)',
      limit.coldStartMs,
      us.coldStartMs,
      added(limit.coldStartMs, us.coldStartMs),
    ),
    line('RSS idle (MB)', limit.rssIdleMb, us.rssIdleMb, added(limit.rssIdleMb, us.rssIdleMb)),
    line('RSS, most under load (MB)', limit.rssLoadMb, us.rssLoadMb, added(limit.rssLoadMb, us.rssLoadMb)),
    `| SIGKILL with 200 in flight: lost, doubled | – | ${crash.lost}, ${crash.doubled} | |`,
  ];
}
