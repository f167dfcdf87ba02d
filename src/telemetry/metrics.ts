import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Mode } from '../core/entry.ts';
import type { LedgerHead } from '../custody/ledger.ts';
import type { Backlog } from '../ingest/queue.ts';
import type { GateView } from '../providers/gate.ts';
import type { Tally } from './tally.ts';

/** What the metrics are read from, when they are asked for. */
export interface Reading {
  readonly received: readonly { readonly source: string; readonly outcome: string; readonly count: number }[];
  readonly backlog: Backlog;
  readonly runs: readonly { readonly status: string; readonly count: number }[];
  readonly gate: GateView;
  readonly head: LedgerHead;
  readonly frozen: boolean;
  readonly braked: boolean;
  readonly beats: { readonly triage: Date; readonly engine: Date } | null;
}

export interface MetricsOptions {
  readonly version: string;
  readonly mode: Mode;
  readonly tally: Tally;
  readonly now: () => Date;
  readonly read: () => Promise<Reading>;
}

export interface Metrics {
  readonly contentType: string;
  /** The text format of Prometheus. Rejects when the database cannot be read. */
  render(): Promise<string>;
}

const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3_600];

/** Every label comes from a list of ours: sources, connectors, standings, outcomes. Nothing that a caller chose, and no id, is one. */
export function createMetrics({ version, mode, tally, now, read }: MetricsOptions): Metrics {
  const registers = [new Registry()];
  const [registry = new Registry()] = registers;
  collectDefaultMetrics({ register: registry });
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Gauge<L> =>
    new Gauge({ name: `tourniquet_${name}`, help, labelNames, registers });
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []): Counter<L> =>
    new Counter({ name: `tourniquet_${name}`, help, labelNames, registers });

  gauge('build_info', 'Which program this is; always 1', ['version', 'mode']).set({ version, mode }, 1);
  const alerts = counter('alerts_total', 'Deliveries since the start of this process, by what became of them', [
    'source',
    'outcome',
  ]);
  const contained = counter('contained_total', 'Runs whose containment was proved, by this process');
  const results = counter('step_results_total', 'Results of steps, by outcome', ['outcome']);
  const toContain = new Histogram({
    name: 'tourniquet_time_to_contain_seconds',
    help: 'From the opening of a run to its proved containment, by this process',
    buckets: SECONDS,
    registers,
  });
  const runs = gauge('runs', 'Open runs by how they stand', ['status']);
  const needsPerson = gauge('needs_person', 'Open runs that only a person can move');
  const waiting = gauge('inbox_waiting', 'Alerts that wait for triage');
  const stuck = gauge('inbox_stuck', 'Alerts that could not be triaged and wait for a person');
  const age = gauge('inbox_oldest_seconds', 'How long the oldest of them waits');
  const left = gauge('budget_left', 'Calls that a provider still takes at once, in the account with the fewest', [
    'connector',
    'bucket',
  ]);
  const queued = gauge('budget_waiting', 'Calls that wait for their turn', ['connector', 'bucket']);
  const breaker = gauge('breaker', '1 for the state that the breaker of a connector is in, in its worst account', [
    'connector',
    'state',
  ]);
  const head = gauge('ledger_entries', 'Entries in the custody log');
  const frozen = gauge('frozen', '1 while people have frozen all changes');
  const braked = gauge('braked', '1 while the brake leaves every containment to people');
  const beat = gauge('loop_silent_seconds', 'How long ago a loop showed that it is alive', ['loop']);

  return {
    contentType: registry.contentType,
    async render() {
      const reading = await read();
      const at = now().getTime();
      raise(
        alerts,
        reading.received.map(({ source, outcome, count }) => ({ labels: { source, outcome }, count })),
      );
      raise(contained, [{ labels: {}, count: tally.contained }]);
      raise(
        results,
        [...tally.outcomes].map(([outcome, count]) => ({ labels: { outcome }, count })),
      );
      for (const seconds of tally.takeContainSeconds()) toContain.observe(seconds);
      runs.reset();
      for (const { status, count } of reading.runs) runs.set({ status }, count);
      needsPerson.set(sum(reading.runs.filter(({ status }) => FOR_PEOPLE.includes(status))));
      waiting.set(reading.backlog.waiting);
      stuck.set(reading.backlog.stuck);
      age.set(reading.backlog.oldest === null ? 0 : Math.max(0, at - Date.parse(reading.backlog.oldest)) / 1_000);
      for (const each of reading.gate.budgets) {
        left.set({ connector: each.connector, bucket: each.bucket }, each.left);
        queued.set({ connector: each.connector, bucket: each.bucket }, each.waiting);
      }
      for (const { connector, standing } of reading.gate.breakers)
        for (const state of ['closed', 'half-open', 'open'] as const)
          breaker.set({ connector, state }, state === standing ? 1 : 0);
      head.set(reading.head.size);
      frozen.set(reading.frozen ? 1 : 0);
      braked.set(reading.braked ? 1 : 0);
      for (const [loop, last] of Object.entries(reading.beats ?? {})) beat.set({ loop }, (at - last.getTime()) / 1_000);
      return registry.metrics();
    },
  };
}

const FOR_PEOPLE: readonly string[] = ['waiting-approval', 'waiting-answer', 'needs-person'];

const sum = (lines: readonly { readonly count: number }[]): number =>
  lines.reduce((total, { count }) => total + count, 0);

/** Sets a counter to what was counted elsewhere. */
function raise<L extends string>(
  counter: Counter<L>,
  counts: readonly { readonly labels: Partial<Record<L, string>>; readonly count: number }[],
): void {
  counter.reset();
  for (const { labels, count } of counts) counter.inc(labels, count);
}
