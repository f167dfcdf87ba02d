import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Bell } from '../../src/core/bell.ts';
import { noTraces } from '../../src/core/traces.ts';
import { createInbox } from '../../src/ingest/inbox.ts';
import { Urgency } from '../../src/ingest/urgency.ts';
import { runLanes } from '../../src/triage/lanes.ts';
import type { Triage } from '../../src/triage/triage.ts';
import { openWorld } from '../ingest/world.ts';

/** Lanes over a real inbox; what the alerts ask for is decided by `parse`, before anything else of triage is touched. */
async function open(parse: (name: string) => Promise<void> | void) {
  const world = await openWorld();
  const inbox = createInbox({ ...world, db: world.store.db, random: randomUUID });
  const seen: string[] = [];
  const errors: unknown[] = [];
  const stopping = new AbortController();
  const bell = new Bell();
  const waits: Promise<void>[] = [];
  const triage = {
    ...world,
    inbox,
    traces: noTraces,
    jitter: () => 0,
    random: randomUUID,
    parse: (_source: string, { body }: { body: Buffer }) => {
      const name = body.toString();
      seen.push(name);
      const wait = parse(name);
      if (wait) waits.push(wait);
      return { kind: 'nothing', because: 'seen' } as const;
    },
  } as unknown as Triage; // what stands behind a finding is never reached
  const accept = (name: string, severity: 'critical' | 'low') =>
    inbox.accept({ source: 'test', delivery: name, request: { headers: {}, body: Buffer.from(name) }, severity });
  return {
    world,
    inbox,
    seen,
    errors,
    accept,
    run: () => {
      const lanes = runLanes({
        triage,
        urgency: new Urgency(),
        bell,
        stopping: stopping.signal,
        onError: (error) => errors.push(error),
        onBeat: () => {},
      });
      return async () => {
        stopping.abort();
        bell.ring();
        await lanes;
        await world[Symbol.asyncDispose]();
      };
    },
  };
}

const until = async (wanted: () => boolean): Promise<void> => {
  while (!wanted()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('the lanes of triage', () => {
  it('take every alert exactly once, the critical ones first', async () => {
    const bench = await open(() => {});
    for (let i = 0; i < 20; i += 1) await bench.accept(`low-${i}`, 'low');
    await bench.accept('critical', 'critical');
    const stop = bench.run();
    await until(() => bench.seen.length >= 21);
    expect(new Set(bench.seen).size).toBe(21);
    expect(bench.seen).toHaveLength(21);
    expect(bench.seen.indexOf('critical')).toBeLessThan(4); // there are four lanes
    await stop();
    expect(bench.errors).toEqual([]);
  });

  it('put aside an alert that our own code fails on, and go on with the others', async () => {
    const bench = await open((name) => {
      if (name === 'poison') throw new Error('our own code failed');
    });
    await bench.accept('poison', 'critical');
    await bench.accept('after', 'low');
    const stop = bench.run();
    await until(() => bench.seen.includes('after') && bench.errors.length > 0);
    expect(bench.errors).toHaveLength(1);
    await until(() => bench.seen.length === 2);
    bench.world.clock.advance(60_000);
    await until(() => bench.errors.length === 2); // tried again, later
    await stop();
  });
});
