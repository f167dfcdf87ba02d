import type { z } from 'zod';
import { readIncident } from '../incident/view.ts';
import { momentsOf, spansOf } from '../report/times.ts';
import type { Reader } from '../store/store.ts';
import type { metricsSchema } from './schemas.ts';

type Metrics = z.infer<typeof metricsSchema>;

/** How fast the newest `last` incidents were dealt with. */
export async function metricsOf(db: Reader, last: number, now: Date): Promise<Metrics> {
  const rows = await db.selectFrom('incident').select('id').orderBy('number', 'desc').limit(last).execute();
  const measured = [];
  for (const { id } of rows) {
    const incident = await readIncident(db, id, now);
    if (!incident) continue;
    const moments = momentsOf(incident, now);
    const undone = incident.runs.some(({ state }) => state.undo !== undefined);
    measured.push({ ...spansOf(moments), approvalWait: moments.approvalWaitMs, undone });
  }
  return {
    incidents: measured.length,
    mttd: spreadOf(measured.map(({ mttd }) => mttd)),
    mtta: spreadOf(measured.map(({ mtta }) => mtta)),
    mttc: spreadOf(measured.map(({ mttc }) => mttc)),
    mttr: spreadOf(measured.map(({ mttr }) => mttr)),
    approvalWait: spreadOf(measured.map(({ approvalWait }) => approvalWait)),
    undone: measured.filter(({ undone }) => undone).length,
  };
}

/** Percentiles by nearest rank: each is a value that was really measured. Null without any. */
export function spreadOf(values: readonly (number | undefined)[]): Metrics['mttc'] {
  const sorted = values.filter((each) => each !== undefined).sort((a, b) => a - b);
  const rank = (percent: number): number => sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? 0;
  if (sorted.length === 0) return null;
  return { count: sorted.length, p50Ms: rank(50), p90Ms: rank(90), p99Ms: rank(99), maxMs: rank(100) };
}
