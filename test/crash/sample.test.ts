import { afterAll, describe, expect, it } from 'vitest';
import { loadScenario } from '../../src/drill/load.ts';
import { Nursery } from './host.ts';
import { live } from './life.ts';
import { distinct, killPoints, tryAll } from './matrix.ts';

const nursery = new Nursery();
afterAll(() => nursery.close());

/** `npm run test:crash` kills at every one of them, for every runbook, on every store. */
const EVERY = 30;

describe('a process killed at a moment of a run, and started again', () => {
  it('comes to the same ending: no effect twice, none lost, the ledger verifies', { timeout: 120_000 }, async () => {
    const scenario = await loadScenario('leaked-aws-access-key');
    if (!scenario) throw new Error('the scenario is gone');
    const database = async (): Promise<null> => null;
    const unharmed = await live(scenario, { nursery, bot: undefined, database }, { at: 'never' });
    expect(unharmed.ending).toMatchObject({ standings: ['retired'], ledger: 'ok', doubled: [], left: 0 });
    expect(Object.values(unharmed.ending.objectives)).not.toContain(false);
    const points = killPoints(unharmed);
    expect(points.length).toBeGreaterThan(150);
    const kills = points.filter((_kill, index) => index % EVERY === 0);
    const outcomes = await tryAll(
      { scenario, nursery, database },
      { kills, expected: unharmed.ending, width: 2 },
      () => {},
    );
    expect(outcomes.filter(({ wrong }) => wrong !== undefined)).toEqual([]);
    expect(outcomes).toHaveLength(kills.length);
    await unharmed.bot.kill();
  });

  it('is not killed again and again while it asks the same question', () => {
    expect(distinct(['a', 'q', 'q', 'q', 'q', 'q', 'q', 'q', 'b'])).toEqual([1, 2, 3, 4, 6, 7, 8, 9]);
  });
});
