import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { VirtualClock } from '../../src/core/clock.ts';
import { entryOf } from '../../src/custody/row.ts';
import type { digestOf } from '../../src/schedule/digest.ts';
import { heartbeat, weeklyDigest } from '../../src/schedule/jobs.ts';
import { createSchedule, type Job, type Schedule } from '../../src/schedule/schedule.ts';
import { slotAt } from '../../src/schedule/slot.ts';
import { onlyOne } from '../../src/store/leader.ts';
import { openWorld as openConsoleWorld, tellContained, tellStory } from '../console/world.ts';
import { type Fixture, openFixture, START } from '../custody/fixture.ts';

const QUARTER_MS = 900_000;
const WEEK_MS = 7 * 86_400_000;

let fixture: Fixture;
let errors: [unknown, string][];
beforeEach(async () => {
  fixture = await openFixture();
  errors = [];
});
afterEach(() => fixture.store.close());

/** A process on the database of `on`, with a clock of its own. */
function scheduleOn(on: Fixture, jobs: readonly Job[]): Schedule {
  const leadership = onlyOne(on.store, 'schedule', randomUUID(), on.clock);
  return createSchedule({
    jobs,
    db: on.store.db,
    ledger: on.ledger,
    clock: on.clock,
    onlyOne: (work) => leadership.lead(work),
    onError: (error, job) => errors.push([error, job]),
    slotAt,
  });
}
const heartbeats = async (): Promise<readonly string[]> => {
  const rows = await fixture.store.db
    .selectFrom('ledger')
    .selectAll()
    .where('type', '=', 'heartbeat')
    .orderBy('seq')
    .execute();
  return rows.map((row) => entryOf(row).time.utc);
};
async function live(clocks: readonly VirtualClock[], schedules: readonly Schedule[], ms: number, step = QUARTER_MS) {
  for (let passed = 0; passed < ms; passed += step) {
    for (const schedule of schedules) await schedule.tick();
    for (const clock of clocks) clock.advance(step);
  }
}

describe('the slot of a pattern', () => {
  it.each([
    ['0 * * * *', '2026-03-01T09:59:59.999Z', '2026-03-01T09:00:00.000Z'],
    ['0 * * * *', '2026-03-01T10:00:00.000Z', '2026-03-01T10:00:00.000Z'],
    ['0 * * * *', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z'],
    ['*/20 9-17 * * *', '2026-03-01T08:10:00.000Z', '2026-02-28T17:40:00.000Z'],
    ['0 7 * * 1', '2026-03-01T09:00:00.000Z', '2026-02-23T07:00:00.000Z'],
    ['0 7 * * 0', '2026-03-01T09:00:00.000Z', '2026-03-01T07:00:00.000Z'],
    ['30 6 1 */3 *', '2026-03-31T00:00:00.000Z', '2026-01-01T06:30:00.000Z'],
    ['0 0 29 2 *', '2026-03-01T00:00:00.000Z', '2024-02-29T00:00:00.000Z'],
    ['0 2 * * *', '2026-03-29T01:30:00.000Z', '2026-03-28T02:00:00.000Z'],
  ])('%s at %s is %s', (pattern, now, expected) => {
    expect(slotAt(pattern, new Date(now)).toISOString()).toBe(expected);
  });

  it('is not found where there is none, and that is said before anything starts', () => {
    expect(() => slotAt('0 0 31 2 *', START)).toThrow('impossible day of month');
    expect(() => scheduleOn(fixture, [heartbeat('every now and then')])).toThrow();
  });
});

describe('a heartbeat', () => {
  it('beats at the start and once an hour for a week', async () => {
    await live([fixture.clock], [scheduleOn(fixture, [heartbeat()])], WEEK_MS);
    const times = await heartbeats();
    expect(times).toHaveLength(7 * 24);
    expect(times[0]).toBe(START.toISOString());
    expect(new Set(times.map((each) => each.slice(0, 13))).size).toBe(times.length);
    expect(errors).toEqual([]);
  });

  it('beats once, however many processes there are and though their clocks differ', async () => {
    const other = await openFixture({ on: fixture.store });
    other.clock.advance(40_000); // far more than a leader's lease
    const schedules = [scheduleOn(fixture, [heartbeat()]), scheduleOn(other, [heartbeat()])];
    await live([fixture.clock, other.clock], schedules, 86_400_000, 20_000 * 3);
    expect(await heartbeats()).toHaveLength(24);
    expect(errors).toEqual([]);
  });

  it('beats once when two processes look at the very same time and both believe to lead', async () => {
    const other = await openFixture({ on: fixture.store });
    const careless = (on: Fixture) =>
      createSchedule({
        jobs: [heartbeat()],
        db: on.store.db,
        ledger: on.ledger,
        clock: on.clock,
        onlyOne: (work) => work(),
        onError: (error, job) => errors.push([error, job]),
        slotAt,
      });
    const [one, two] = [careless(fixture), careless(other)];
    await Promise.all([one.tick(), two.tick(), one.tick(), two.tick()]);
    expect(await heartbeats()).toHaveLength(1);
  });

  it('makes up for one beat, not for all, after an outage', async () => {
    const schedule = scheduleOn(fixture, [heartbeat()]);
    await schedule.tick();
    fixture.clock.advance(5 * 3_600_000 + 60_000);
    await schedule.tick();
    await schedule.tick();
    expect(await heartbeats()).toHaveLength(2);
  });

  it('goes on beating when another job fails', async () => {
    const failing: Job = {
      name: 'failing',
      pattern: '0 * * * *',
      atFirst: 'run',
      perform: () => Promise.reject(new Error('no luck')),
    };
    await live([fixture.clock], [scheduleOn(fixture, [failing, heartbeat()])], 3 * 3_600_000);
    expect(await heartbeats()).toHaveLength(3);
    expect(errors.map(([, job]) => job)).toEqual(['failing', 'failing', 'failing']);
  });

  it('beats on the real clock too, and stops when told', async () => {
    const schedule = scheduleOn(fixture, [heartbeat()]);
    schedule.start();
    await schedule.stop();
    expect(await heartbeats()).toHaveLength(1);
  });
});

describe('the weekly digest', () => {
  it('begins with the first Monday after it is known, and tells what the week before it brought', async () => {
    const world = await openConsoleWorld();
    const told: Awaited<ReturnType<typeof digestOf>>[] = [];
    const digest = weeklyDigest(world.store.db, async (each) => void told.push(each));
    const schedule = scheduleOn(world, [digest]);
    await schedule.tick(); // Sunday 1 March
    expect(told).toEqual([]);
    await tellStory(world, { number: 1 });
    await tellContained(world, 1);
    await live([world.clock], [schedule], 2 * WEEK_MS);
    expect(told.map(({ from, to }) => [from, to])).toEqual([
      ['2026-02-23T07:00:00.000Z', '2026-03-02T07:00:00.000Z'],
      ['2026-03-02T07:00:00.000Z', '2026-03-09T07:00:00.000Z'],
    ]);
    expect(told[0]).toMatchObject({ closed: 0, undone: 0, mttc: { count: 1 }, mttr: null });
    expect(told[0]?.opened.map(({ ref }) => ref)).toEqual(['INC-1']);
    expect(told[1]?.opened).toEqual([]);
    expect(told[1]?.open).toEqual([
      expect.objectContaining({ ref: 'INC-1', severity: 'critical', standings: [expect.stringMatching(/^Contained/)] }),
    ]);
    await world.store.close();
  });
});
