import type { z } from 'zod';
import { readIncident } from '../incident/view.ts';
import { spreadOf } from '../report/spread.ts';
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
