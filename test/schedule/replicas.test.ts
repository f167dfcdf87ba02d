import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { heartbeat } from '../../src/schedule/jobs.ts';
import { createSchedule } from '../../src/schedule/schedule.ts';
import { slotAt } from '../../src/schedule/slot.ts';
import { onlyOne } from '../../src/store/leader.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { openFixture } from '../custody/fixture.ts';
import { type Postgres, startPostgres } from '../postgres.ts';

let postgres: Postgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres?.stop());

const HOUR_MS = 3_600_000;
const HOURS = 6;

it.each([
  ['with a leader', true],
  ['though each of them believes to lead', false],
] as const)('three replicas on PostgreSQL beat once an hour, %s', async (_how, elected) => {
  const url = await postgres.fresh();
  const errors: unknown[] = [];
  const replicas = [];
  for (let index = 0; index < 3; index += 1) {
    const fixture = await openFixture({ on: await openPostgres(url) });
    const leadership = onlyOne(fixture.store, 'schedule', randomUUID(), fixture.clock);
    const schedule = createSchedule({
      jobs: [heartbeat()],
      db: fixture.store.db,
      ledger: fixture.ledger,
      clock: fixture.clock,
      onlyOne: (work) => (elected ? leadership.lead(work) : work()),
      onError: (error) => errors.push(error),
      slotAt,
    });
    replicas.push({ ...fixture, schedule });
  }
  for (let hour = 0; hour < HOURS; hour += 1) {
    await Promise.all(replicas.flatMap(({ schedule }) => [schedule.tick(), schedule.tick()]));
    for (const { clock } of replicas) clock.advance(HOUR_MS);
  }
  const [first] = replicas;
  const beats = await first?.store.db.selectFrom('ledger').select('seq').where('type', '=', 'heartbeat').execute();
  expect(beats).toHaveLength(HOURS);
  expect(errors).toEqual([]);
  for (const { store } of replicas) await store.close();
});
