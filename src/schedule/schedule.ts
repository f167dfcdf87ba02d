import { type ScheduledTask, schedule } from 'node-cron';
import type { Clock } from '../core/clock.ts';
import type { Append, Ledger } from '../custody/ledger.ts';
import type { Reader, Tx } from '../store/store.ts';

/** Something to be done at certain times, once among all processes on a database. */
export interface Job {
  readonly name: string;
  /** `minute hour day-of-month month day-of-week`, UTC. */
  readonly pattern: string;
  /** Whether the newest slot before this job was ever known is made up for; otherwise it begins with the next. */
  readonly atFirst: 'run' | 'wait';
  /** Written in the transaction that takes the slot: exactly once. */
  readonly record?: (append: Append, slot: Date) => void;
  /** Done after the slot was taken: at most once, because a process may die on the way. */
  readonly perform?: (slot: Date) => Promise<void>;
}

export interface ScheduleParts {
  readonly jobs: readonly Job[];
  readonly db: Reader;
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** Does `work` in one process of all (store/leader.ts). It spares the others the work; what holds is the slot. */
  readonly onlyOne: (work: () => Promise<void>) => Promise<unknown>;
  /** A job failed; the others go on, and it comes again with its next slot. */
  readonly onError: (error: unknown, job: string) => void;
  /** The newest moment that a pattern names at or before now: `slotAt`. */
  readonly slotAt: (pattern: string, now: Date) => Date;
}

export interface Schedule {
  /** Does whatever is due now. After an outage only the newest slot of a job is made up for. */
  tick(): Promise<void>;
  /** Looks every few seconds until `stop`, which waits for what is under way. */
  start(): void;
  stop(): Promise<void>;
}

const EVERY_15_S = '*/15 * * * * *';

/** Throws when a job's pattern names no moment. */
export function createSchedule(parts: ScheduleParts): Schedule {
  const { jobs, db, clock, onlyOne, onError } = parts;
  for (const { pattern } of jobs) parts.slotAt(pattern, clock.now());
  let running: Promise<void> = Promise.resolve();
  let task: ScheduledTask | undefined;

  const tick = async (): Promise<void> => {
    const due = await dueOf(parts, db);
    if (due.length === 0) return; // most looks need no leader
    await onlyOne(async () => {
      for (const { job, slot } of due) await runOnce(parts, job, slot).catch((error) => onError(error, job.name));
    });
  };
  const safely = (): Promise<void> => tick().catch((error: unknown) => onError(error, 'the schedule'));

  return {
    tick,
    start() {
      running = safely();
      task = schedule(
        EVERY_15_S,
        () => {
          running = safely();
          return running;
        },
        { noOverlap: true, unref: true, suppressMissedWarning: true },
      );
    },
    async stop() {
      await task?.destroy();
      await running;
    },
  };
}

interface Due {
  readonly job: Job;
  readonly slot: Date;
}

async function dueOf({ jobs, clock, slotAt }: ScheduleParts, db: Reader): Promise<readonly Due[]> {
  const rows = await db.selectFrom('setting').selectAll().where('key', 'in', jobs.map(keyOf)).execute();
  const taken = new Map(rows.map(({ key, value }) => [key, value]));
  return jobs
    .map((job) => ({ job, slot: slotAt(job.pattern, clock.now()) }))
    .filter(({ job, slot }) => slot.toISOString() > (taken.get(keyOf(job)) ?? ''));
}

/** Takes the slot, unless another process has; the ledger's head lets one in after the other. */
async function runOnce({ ledger }: ScheduleParts, job: Job, slot: Date): Promise<void> {
  const taken = await ledger.commit(async (tx, append) => {
    const before = await lastSlot(tx, job);
    if (before !== null && before >= slot.toISOString()) return false;
    await keep(tx, job, slot);
    if (before === null && job.atFirst === 'wait') return false;
    job.record?.(append, slot);
    return true;
  });
  if (taken) await job.perform?.(slot);
}

async function lastSlot(tx: Tx, job: Job): Promise<string | null> {
  const row = await tx.selectFrom('setting').select('value').where('key', '=', keyOf(job)).executeTakeFirst();
  return row?.value ?? null;
}

async function keep(tx: Tx, job: Job, slot: Date): Promise<void> {
  const value = slot.toISOString();
  await tx
    .insertInto('setting')
    .values({ key: keyOf(job), value })
    .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
    .execute();
}

const keyOf = ({ name }: Job): string => `schedule.${name}`;
