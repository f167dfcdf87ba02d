import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { anchorsOf, cosignedNote } from '../../src/custody/anchors/store.ts';
import { parseAuthorities } from '../../src/custody/anchors/timestamp-client.ts';
import { parseWitnesses } from '../../src/custody/anchors/witness-client.ts';
import { exportBundle } from '../../src/custody/bundle.ts';
import { createCosigner } from '../../src/custody/cosignature.ts';
import { formatPolicy, parsePolicy } from '../../src/custody/policy.ts';
import { packTar, readTar } from '../../src/custody/tar.ts';
import { BadTimestamp, readTimestamp } from '../../src/custody/timestamp.ts';
import { verifyBundle } from '../../src/custody/verify.ts';
import { append, type Fixture, heartbeat, openFixture, STORY } from './fixture.ts';
import { anchoringOf, startAuthority, startWitness, type TestAuthority, type TestWitness } from './outside.ts';

const tool = { name: 'tourniquet', version: '0.1.0', configSha256: '0'.repeat(64) };
const bundleOf = ({ store, signer, clock }: Fixture) =>
  exportBundle({ store, signer, tool, now: clock.now(), incident: 'inc-1' });

async function told(): Promise<Fixture> {
  const fixture = await openFixture();
  await append(fixture, STORY);
  return fixture;
}

const witnesses: TestWitness[] = [];
afterEach(async () => void (await Promise.all(witnesses.splice(0).map((each) => each.close()))));
async function witness(fixture: Fixture, seed = 5): Promise<TestWitness> {
  const started = await startWitness([fixture.signer.vkey], { seed });
  witnesses.push(started);
  return started;
}
const NOBODY = { vkey: createCosigner('nobody.example', new Uint8Array(32).fill(77)).vkey, url: 'http://127.0.0.1:9' };

describe('witnesses that are asked', () => {
  it('cosign the head each time it grew, and the bundle reaches WITNESSED under a policy that demands them', async () => {
    const fixture = await told();
    const [one, two] = [await witness(fixture, 5), await witness(fixture, 6)];
    const { anchoring, troubles } = anchoringOf(fixture, [one, two]);
    expect(await anchoring.anchorHead()).toEqual({ is: 'witnessed', size: 10, by: [one.name, two.name] });
    await append(fixture, [heartbeat, heartbeat]);
    expect(await anchoring.anchorHead()).toEqual({ is: 'witnessed', size: 12, by: [one.name, two.name] });
    expect(troubles).toEqual([]);
    const policy = `log ${fixture.signer.vkey}\nwitness a ${one.vkey}\nwitness b ${two.vkey}\ngroup both all a b\nquorum both\n`;
    const report = verifyBundle(await bundleOf(fixture), parsePolicy(policy), { now: fixture.clock.now() });
    expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(report).toMatchObject({ ok: true, level: 'WITNESSED' });
  });

  it('are not asked again for what they cosigned', async () => {
    const fixture = await told();
    let asked = 0;
    const counting: typeof fetch = (...args) => {
      asked += 1;
      return fetch(...args);
    };
    const { anchoring } = anchoringOf(fixture, [await witness(fixture)], { fetch: counting });
    await anchoring.anchorHead();
    await anchoring.anchorHead();
    expect(asked).toBe(1);
  });

  it('are asked from where they stand when our record of it is lost', async () => {
    const fixture = await told();
    const w = await witness(fixture);
    await anchoringOf(fixture, [w]).anchoring.anchorHead();
    await append(fixture, [heartbeat]);
    await fixture.store.db.deleteFrom('anchor').execute();
    expect(await anchoringOf(fixture, [w]).anchoring.anchorHead()).toMatchObject({ is: 'witnessed', size: 11 });
  });

  it('that do not answer are told of once, stop nothing, and leave a remark for an irreversible step', async () => {
    const fixture = await told();
    const w = await witness(fixture);
    const { anchoring, troubles } = anchoringOf(fixture, [w, NOBODY]);
    expect(await anchoring.remarkBeforeIrreversible()).toBe(
      'unwitnessed: no cosignature by nobody.example on the log before this step (10 entries)',
    );
    expect(await anchoring.anchorHead()).toEqual({
      is: 'unwitnessed',
      size: 10,
      by: [w.name],
      missing: ['nobody.example'],
    });
    expect(troubles).toMatchObject([{ kind: 'cosignature', name: 'nobody.example', grave: false }]);
  });

  it('leave no remark where the head was witnessed or none is configured', async () => {
    const fixture = await told();
    expect(await anchoringOf(fixture, [await witness(fixture)]).anchoring.remarkBeforeIrreversible()).toBeUndefined();
    expect(await anchoringOf(fixture, []).anchoring.remarkBeforeIrreversible()).toBeUndefined();
    expect(await anchoringOf(await openFixture(), [NOBODY]).anchoring.remarkBeforeIrreversible()).toBeUndefined();
  });

  it('are not believed when they sign with another key, or answer nonsense', async () => {
    const fixture = await told();
    const w = await witness(fixture);
    const other = createCosigner(w.name, new Uint8Array(32).fill(44));
    const { anchoring, troubles } = anchoringOf(fixture, [{ vkey: other.vkey, url: w.url }]);
    expect(await anchoring.anchorHead()).toMatchObject({ is: 'unwitnessed' });
    expect(troubles).toMatchObject([{ because: expect.stringContaining('no valid cosignature') }]);
    const nonsense = anchoringOf(fixture, [w], { fetch: async () => new Response('<html>') });
    expect(await nonsense.anchoring.anchorHead()).toMatchObject({ is: 'unwitnessed' });
  });

  it('go on with every append until they are told to stop', async () => {
    const fixture = await told();
    const w = await witness(fixture);
    const { anchoring } = anchoringOf(fixture, [w]);
    const stop = new AbortController();
    let rounds = 0;
    await anchoring.run(async () => {
      rounds += 1;
      if (rounds === 3) stop.abort();
      else await append(fixture, [heartbeat]);
    }, stop.signal);
    const cosigned = await fixture.store.db.selectFrom('anchor').select('size').orderBy('size').execute();
    expect(cosigned.map(({ size }) => size)).toEqual([10, 11, 12]);
  });

  it.each([
    ['a log’s key', (fixture: Fixture) => `${fixture.signer.vkey} http://127.0.0.1:1`, 'not of a kind'],
    ['no address', () => NOBODY.vkey, 'VKEY URL'],
    ['an address that is not HTTP', () => `${NOBODY.vkey} ftp://x`, 'not the address'],
    ['the same one twice', () => `${NOBODY.vkey} http://a, ${NOBODY.vkey} http://b`, 'twice'],
  ])('are not configured with %s', async (_what, text, message) => {
    const fixture = await openFixture();
    expect(() => parseWitnesses(text(fixture))).toThrow(message);
  });
});

describe('a time-stamping authority (OpenSSL)', () => {
  let authority: TestAuthority;
  beforeAll(async () => {
    authority = await startAuthority();
  });
  afterAll(() => authority.close());

  async function stamped() {
    const fixture = await told();
    const { anchoring, troubles } = anchoringOf(fixture, [], {
      authorities: parseAuthorities(`openssl ${authority.url}`),
    });
    await anchoring.anchorHead();
    expect(troubles).toEqual([]);
    return { fixture, bundle: await bundleOf(fixture) };
  }
  const policyWith = ({ signer }: Fixture, certificate = authority.certificate) =>
    parsePolicy(`log ${signer.vkey}\ntsa openssl ${certificate}\nquorum none\n`);

  it('stamps the checkpoint, and the bundle reaches ANCHORED under a policy that names its certificate', async () => {
    const { fixture, bundle } = await stamped();
    const report = verifyBundle(bundle, policyWith(fixture), { now: fixture.clock.now() });
    expect(report.checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(report).toMatchObject({ ok: true, level: 'ANCHORED' });
    expect(readTar(bundle).map(({ name }) => name)).toContain('anchors/10.openssl.tsr');
    expect(
      verifyBundle(bundle, parsePolicy(formatPolicy(fixture.signer.vkey)), { now: fixture.clock.now() }).level,
    ).toBe('SELF-SIGNED');
  });

  it('is not believed under another certificate, and is missed where the policy demands it', async () => {
    const { fixture, bundle } = await stamped();
    const now = fixture.clock.now();
    const failed = (report: ReturnType<typeof verifyBundle>) =>
      report.checks.filter(({ ok }) => !ok).map(({ name }) => name);
    expect(failed(verifyBundle(bundle, policyWith(fixture, 'a'.repeat(64)), { now }))).toEqual(['time stamps']);
    expect(failed(verifyBundle(await bundleOf(await told()), policyWith(fixture), { now }))).toEqual(['time stamps']);
  });

  it('is not believed for another checkpoint, nor with any byte of its token changed', async () => {
    const { fixture } = await stamped();
    const [{ bytes } = { bytes: Buffer.alloc(0) }] = await anchorsOf(fixture.store.db, 10);
    const message = Buffer.from(`${(await cosignedNote(fixture.store.db, 10)).split('\n\n')[0]}\n`);
    expect(readTimestamp(bytes, message).certificate).toBe(authority.certificate);
    expect(() => readTimestamp(bytes, Buffer.from('another'))).toThrow('of something else');
    const believed: number[] = [];
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 0x04;
      try {
        const { certificate, time } = readTimestamp(changed, message);
        if (certificate === authority.certificate && time.getTime() !== readTimestamp(bytes, message).time.getTime())
          believed.push(at);
      } catch (error) {
        expect(error).toBeInstanceOf(BadTimestamp);
      }
    }
    expect(believed).toEqual([]);
  });

  it('tells of an authority that fails, and goes on', async () => {
    const fixture = await told();
    const { anchoring, troubles } = anchoringOf(fixture, [], {
      authorities: parseAuthorities('gone http://127.0.0.1:9/'),
    });
    expect(await anchoring.anchorHead()).toEqual({ is: 'not-configured' });
    expect(troubles).toMatchObject([{ kind: 'rfc3161', name: 'gone' }]);
  });

  it('whose token was put under another checkpoint of the bundle is found out', async () => {
    const { fixture, bundle } = await stamped();
    const files = readTar(bundle).map((file) =>
      file.name.endsWith('.tsr') ? { ...file, bytes: Buffer.from('not a token') } : file,
    );
    const report = verifyBundle(packTar(files), policyWith(fixture), { now: fixture.clock.now() });
    expect(report.checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual([
      'every file as signed',
      'time stamps',
    ]);
  });
});
