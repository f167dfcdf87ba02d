import { describe, expect, it } from 'vitest';
import { Urgency } from '../../src/ingest/urgency.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('what is not urgent', () => {
  it('goes on at once when nothing urgent is under way', async () => {
    expect(await new Urgency().after(async () => 'done')).toBe('done');
  });

  it('waits until the last urgent thing is over', async () => {
    const urgency = new Urgency();
    urgency.begin('a');
    urgency.begin('b');
    let done = false;
    const waiting = urgency.after(async () => {
      done = true;
    });
    urgency.end('a');
    await turn();
    expect(done).toBe(false);
    urgency.end('b');
    await waiting;
    expect(done).toBe(true);
  });

  it('is slowed down by what never ends, not starved', async () => {
    const urgency = new Urgency();
    urgency.begin('for ever');
    expect(await urgency.after(async () => 'done in the end')).toBe('done in the end');
  });

  it('goes on sixteen abreast, and every one of many gets its turn', async () => {
    const urgency = new Urgency();
    let [now, most, done] = [0, 0, 0];
    const work = async (): Promise<void> => {
      now += 1;
      most = Math.max(most, now);
      await turn();
      now -= 1;
      done += 1;
    };
    await Promise.all(Array.from({ length: 500 }, () => urgency.after(work)));
    expect([most, done]).toEqual([16, 500]);
  });

  it('gives its place back when it fails', async () => {
    const urgency = new Urgency();
    const failing = Array.from({ length: 40 }, () => urgency.after(() => Promise.reject(new Error('no'))));
    expect((await Promise.allSettled(failing)).every(({ status }) => status === 'rejected')).toBe(true);
    expect(await urgency.after(async () => 'still')).toBe('still');
  });
});
