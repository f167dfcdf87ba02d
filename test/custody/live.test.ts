import { afterEach, describe, expect, it } from 'vitest';
import { createLog } from '../../src/log.ts';
import { anchoringOf, startAnchors } from '../../src/modes/anchors.ts';
import { append, type Fixture, heartbeat, openFixture, STORY } from './fixture.ts';
import { startWitness, type TestWitness } from './outside.ts';

const open: TestWitness[] = [];
afterEach(async () => void (await Promise.all(open.splice(0).map((each) => each.close()))));

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const largest = async ({ store }: Fixture): Promise<number> =>
  (await store.db.selectFrom('anchor').select('size').orderBy('size', 'desc').executeTakeFirst())?.size ?? 0;

async function started(mode: 'live' | 'sandbox', url?: string) {
  const fixture = await openFixture({ mode });
  await append(fixture, STORY);
  const witness = await startWitness([fixture.signer.vkey]);
  open.push(witness);
  const lines: string[] = [];
  const log = createLog('info', (line) => lines.push(line));
  const env = { TOURNIQUET_WITNESSES: `${witness.vkey} ${url ?? witness.url}` };
  const anchoring = anchoringOf({ ...fixture, env, mode }, log);
  return { fixture, lines, stop: startAnchors(anchoring, fixture.ledger, log) };
}

describe('a live bot', () => {
  it('has its log cosigned as it grows, and stops when told to', async () => {
    const { fixture, stop } = await started('live');
    await until(async () => (await largest(fixture)) === 10);
    await append(fixture, [heartbeat]);
    await until(async () => (await largest(fixture)) === 11);
    await stop();
    await append(fixture, [heartbeat]);
    expect(await largest(fixture)).toBe(11);
  });

  it('says which witness is away, and goes on', async () => {
    const { lines, fixture, stop } = await started('live', 'http://127.0.0.1:9');
    await until(async () => lines.some((line) => line.includes('does not vouch for the custody log for now')));
    await append(fixture, [heartbeat]);
    await stop();
    expect((await fixture.ledger.head()).size).toBe(11);
  });

  it('is told before it starts that a witness is configured wrongly', async () => {
    const fixture = await openFixture();
    const log = createLog('silent', () => {});
    expect(() => anchoringOf({ ...fixture, env: { TOURNIQUET_WITNESSES: 'nonsense' }, mode: 'live' }, log)).toThrow(
      'VKEY URL',
    );
  });
});

describe('a sandbox', () => {
  it('asks nobody outside', async () => {
    const { fixture, stop } = await started('sandbox');
    await append(fixture, [heartbeat]);
    await stop();
    expect(await largest(fixture)).toBe(0);
  });
});
