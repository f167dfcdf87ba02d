import { describe, expect, it } from 'vitest';
import { verifyStore } from '../../src/custody/audit.ts';
import { exportBundle, exportCheckpoint } from '../../src/custody/bundle.ts';
import { formatPolicy, parsePolicy } from '../../src/custody/policy.ts';
import { rotateKey, rotationEntry } from '../../src/custody/rotation.ts';
import { generateSigner, type Signer } from '../../src/custody/signer.ts';
import { verifyBundle } from '../../src/custody/verify.ts';
import { ALICE, append, type Fixture, heartbeat, ORIGIN, openFixture, STORY } from './fixture.ts';

const tool = { name: 'tourniquet', version: '0.1.0', configSha256: '0'.repeat(64) };
const FIRST = generateSigner(ORIGIN, new Uint8Array(32).fill(7));
const SECOND = generateSigner(ORIGIN, new Uint8Array(32).fill(8));
const THIRD = generateSigner(ORIGIN, new Uint8Array(32).fill(9));

/** A log whose key changed, with entries before and after, opened with the new key. */
async function rotated(to: Signer = SECOND, fixture?: Fixture): Promise<Fixture> {
  const before = fixture ?? (await openFixture());
  if (!fixture) await append(before, STORY);
  await rotateKey(before, { from: before.signer, to, actor: ALICE, why: 'yearly' });
  before.clock.advance(1_000);
  const after = await openFixture({ on: before.store, signer: to });
  after.clock.moveTo(before.clock.now());
  await append(after, [heartbeat]);
  return after;
}
const bundleOf = ({ store, clock }: Fixture, signer: Signer, incident?: string) =>
  exportBundle({ store, signer, tool, now: clock.now(), ...(incident === undefined ? {} : { incident }) });
const verify = (bundle: Buffer, { clock }: Fixture, { vkey }: Signer, seen?: string) =>
  verifyBundle(bundle, parsePolicy(formatPolicy(vkey)), {
    now: clock.now(),
    ...(seen ? { seen: Buffer.from(seen) } : {}),
  });
const failed = (report: ReturnType<typeof verify>) => report.checks.filter(({ ok }) => !ok);

describe('a log whose key changed', () => {
  it.each([
    ['the whole log', undefined],
    ['one incident', 'inc-1'],
  ])('verifies for who trusts its first key, its new one, or either: %s', async (_what, incident) => {
    const fixture = await rotated();
    const bundle = await bundleOf(fixture, SECOND, incident);
    for (const trusted of [FIRST, SECOND]) {
      const report = verify(bundle, fixture, trusted);
      expect(failed(report)).toEqual([]);
    }
    expect(verify(bundle, fixture, FIRST).checks).toContainEqual(
      expect.objectContaining({ name: 'trusted log', detail: expect.stringContaining('its key changed once since') }),
    );
  });

  it('verifies after it changed twice, for who trusts any of the three', async () => {
    const fixture = await rotated(THIRD, await rotated());
    const bundle = await bundleOf(fixture, THIRD, 'inc-1');
    for (const trusted of [FIRST, SECOND, THIRD]) expect(failed(verify(bundle, fixture, trusted))).toEqual([]);
  });

  it('still holds a checkpoint that was kept from before', async () => {
    const fixture = await openFixture();
    await append(fixture, STORY);
    const seen = await exportCheckpoint(fixture.store, FIRST.vkey);
    const after = await rotated(SECOND, fixture);
    expect(failed(verify(await bundleOf(after, SECOND), after, FIRST, seen))).toEqual([]);
  });

  it('is audited whole in its database, each checkpoint under the key of its time', async () => {
    const fixture = await rotated();
    expect(await verifyStore(fixture.store.db, SECOND.vkey)).toMatchObject({ ok: true, size: 12 });
    const row = await fixture.store.db
      .selectFrom('checkpoint')
      .selectAll()
      .where('size', '=', 5)
      .executeTakeFirstOrThrow();
    const forged = row.note.replace(/\n— .*\n$/, '\n');
    await fixture.store.db
      .updateTable('checkpoint')
      .set({ note: `${forged}— x AAAAAAAA\n` })
      .where('size', '=', 5)
      .execute();
    expect(await verifyStore(fixture.store.db, SECOND.vkey)).toMatchObject({ ok: false });
  });

  it('is opened with the new key alone once there are entries after the change', async () => {
    const fixture = await rotated();
    await expect(openFixture({ on: fixture.store, signer: FIRST })).rejects.toThrow('does not verify under the key');
  });

  it('does not verify for who trusts a key that it never had', async () => {
    const fixture = await rotated();
    const report = verify(await bundleOf(fixture, SECOND), fixture, THIRD);
    expect(report.ok).toBe(false);
    expect(failed(report)[0]).toMatchObject({
      name: 'trusted log',
      detail: expect.stringContaining('never from or to'),
    });
  });

  it('changes it once although a crash came between the entry and its second signature', async () => {
    const fixture = await openFixture();
    await append(fixture, STORY);
    await append(fixture, [rotationEntry(FIRST, SECOND, ALICE)]); // and here it crashed
    await rotateKey(fixture, { from: FIRST, to: SECOND, actor: ALICE });
    const again = await openFixture({ on: fixture.store, signer: SECOND });
    expect((await again.ledger.head()).size).toBe(11);
  });
});

describe('whoever forges a change of key', () => {
  it('with the new key alone is found out', async () => {
    const fixture = await openFixture();
    await append(fixture, STORY);
    const thief = { ...FIRST, sign: SECOND.sign };
    await append(fixture, [rotationEntry(thief, SECOND, ALICE)]);
    const report = verify(await bundleOf(fixture, FIRST), fixture, FIRST);
    expect(failed(report)[0]).toMatchObject({
      name: 'trusted log',
      detail: expect.stringContaining('without the signatures of both keys'),
    });
  });

  it('and goes on signing with the old one is found out', async () => {
    const fixture = await openFixture();
    await append(fixture, [...STORY, rotationEntry(FIRST, SECOND, ALICE), heartbeat]);
    const report = verify(await bundleOf(fixture, FIRST), fixture, FIRST);
    expect(failed(report).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['signature of the bundle', 'checkpoint']),
    );
  });

  it('or has no two keys of one log cannot write one', () => {
    expect(() => rotationEntry(FIRST, FIRST, ALICE)).toThrow('is the old one');
    expect(() => rotationEntry(FIRST, generateSigner('example.org/other'), ALICE)).toThrow('cannot follow');
  });
});
