import { extract } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { exportBundle } from '../../src/custody/bundle.ts';
import { verifyCommand } from '../../src/custody/command.ts';
import { formatPolicy, parsePolicy } from '../../src/custody/policy.ts';
import { generateSigner } from '../../src/custody/signer.ts';
import { packTar, readTar } from '../../src/custody/tar.ts';
import { type Report, verifyBundle } from '../../src/custody/verify.ts';
import { append, type Fixture, ORIGIN, openFixture, STORY } from './fixture.ts';

async function told(): Promise<Fixture> {
  const fixture = await openFixture();
  await append(fixture, STORY);
  return fixture;
}
const tool = { name: 'tourniquet', version: '0.1.0', configSha256: '0'.repeat(64) };
const bundleOf = ({ store, signer, clock }: Fixture, more: { incident?: string; since?: number } = {}) =>
  exportBundle({ store, signer, tool, now: clock.now(), ...more });
const namesIn = (bundle: Buffer) => readTar(bundle).map(({ name }) => name);
const failures = ({ checks }: Report) => checks.filter((check) => !check.ok);

describe('an exported bundle', () => {
  it.each([
    ['a whole log', {}, 10],
    ['one incident', { incident: 'inc-1' }, 7],
    ['one incident with the proof since an older checkpoint', { incident: 'inc-1', since: 3 }, 7],
  ])('of %s verifies and reaches SELF-SIGNED', async (_what, options, entries) => {
    const fixture = await told();
    const report = verifyBundle(await bundleOf(fixture, options), parsePolicy(formatPolicy(fixture.signer.vkey)), {
      now: fixture.clock.now(),
      maxAgeMs: 60_000,
    });
    expect(failures(report)).toEqual([]);
    expect(report).toMatchObject({
      ok: true,
      level: 'SELF-SIGNED',
      entries,
      claims: { origin: ORIGIN, size: 10, mode: 'live' },
    });
  });

  it('is the same bytes whenever the same log is exported at the same time', async () => {
    const [one, two] = [await told(), await told()];
    expect((await bundleOf(one)).equals(await bundleOf(two))).toBe(true);
  });

  it('is an archive that other programs read', async () => {
    const bundle = await bundleOf(await told(), { incident: 'inc-1' });
    const names: string[] = [];
    const reader = extract();
    reader.end(bundle);
    for await (const entry of reader) {
      names.push(entry.header.name);
      entry.resume();
    }
    expect(names).toEqual(namesIn(bundle));
    expect(names).toEqual([
      'VERIFY.md',
      'checkpoints/10.note',
      'custody-form.html',
      'entries.jsonl',
      'manifest.dsse.json',
      'manifest.json',
      ...[1, 2, 4, 5, 6, 7, 8].map((seq) => `proofs/${seq}.tlog-proof`),
    ]);
  });

  it('holds a form that escapes what strangers wrote, loads nothing and names every decision', async () => {
    const bundle = await bundleOf(await told(), { incident: 'inc-1' });
    const form =
      readTar(bundle)
        .find(({ name }) => name === 'custody-form.html')
        ?.bytes.toString() ?? '';
    expect(form).not.toContain('<script');
    expect(form).toContain('&lt;script&gt;alert(&quot;\u00e9&quot;)&lt;/script&gt;');
    expect(form).not.toMatch(/(src|href)=/);
    expect(form).toContain('bob<br><small>person, known by slack:U2');
    expect(form).toContain('{&quot;status&quot;:&quot;Active&quot;}');
    expect(form).toContain('+4s<br><time datetime="2026-03-01T09:00:05.000Z">');
    expect(form).not.toContain('inc-2');
  });

  it('is refused for an empty log, an unknown incident and an impossible comparison', async () => {
    await expect(bundleOf(await openFixture())).rejects.toThrow('The log is empty');
    const fixture = await told();
    await expect(bundleOf(fixture, { incident: 'inc-9' })).rejects.toThrow('nothing about the incident inc-9');
    await expect(bundleOf(fixture, { since: 11 })).rejects.toThrow('cannot be compared with one of 11');
  });
});

describe('one changed byte', () => {
  /** Park–Miller: the same positions on every run. */
  function* positions(below: number, seed = 42): Generator<number, never> {
    for (let state = seed; ; ) {
      state = (state * 48_271) % 2_147_483_647;
      yield state % below;
    }
  }

  it.each([
    ['a whole log', {}],
    ['one incident', { incident: 'inc-1', since: 4 }],
  ])('anywhere in the bundle of %s is rejected, with its place', async (_what, options) => {
    const fixture = await told();
    const bundle = await bundleOf(fixture, options);
    const policy = parsePolicy(formatPolicy(fixture.signer.vkey));
    const now = fixture.clock.now();
    const at = positions(bundle.length);
    const mask = positions(255, 7);
    const tried = Array.from({ length: 1_000 }, () => at.next().value);
    for (let header = 0; header < bundle.length; header += 512) tried.push(header, header + 156, header + 511);
    tried.push(bundle.length - 1, bundle.length - 1024);
    const believed: number[] = [];
    for (const position of tried) {
      const changed = Buffer.from(bundle);
      changed[position] = (changed[position] ?? 0) ^ (1 + mask.next().value);
      const report = verifyBundle(changed, policy, { now });
      const [first] = failures(report);
      if (report.ok || !first || first.ok || !/[a-z]/.test(first.where)) believed.push(position);
    }
    expect(believed).toEqual([]);
  });

  it('in any position of a file header is rejected at that byte', async () => {
    const fixture = await told();
    const bundle = await bundleOf(fixture);
    const policy = parsePolicy(formatPolicy(fixture.signer.vkey));
    for (let position = 0; position < 512; position += 1) {
      const changed = Buffer.from(bundle);
      changed[position] = (changed[position] ?? 0) ^ 0x10;
      const [first] = failures(verifyBundle(changed, policy, { now: fixture.clock.now() }));
      expect(first, `byte ${position}`).toMatchObject({ name: 'archive', where: expect.stringMatching(/byte \d+/) });
    }
  });

  it('inside an entry is blamed on that entry', async () => {
    const fixture = await told();
    const policy = parsePolicy(formatPolicy(fixture.signer.vkey));
    for (const options of [{}, { incident: 'inc-1' }]) {
      const bundle = await bundleOf(fixture, options);
      bundle[bundle.indexOf('"status":"Inactive"') + 12] = 'x'.charCodeAt(0);
      const report = verifyBundle(bundle, policy, { now: fixture.clock.now() });
      expect(failures(report)).toContainEqual(
        expect.objectContaining({ name: 'in the signed log', where: expect.stringContaining('entry 8') }),
      );
    }
  });

  it.each([
    ['cut short', (bundle: Buffer) => bundle.subarray(0, -1)],
    ['cut short by a block', (bundle: Buffer) => bundle.subarray(0, -512)],
    ['continued', (bundle: Buffer) => Buffer.concat([bundle, Buffer.alloc(512)])],
    ['empty', () => Buffer.alloc(0)],
    ['something else', () => Buffer.from('%PDF-1.7')],
  ])('is not needed: a file that is %s is rejected as well', async (_what, change) => {
    const fixture = await told();
    const changed = change(await bundleOf(fixture));
    const report = verifyBundle(changed, parsePolicy(formatPolicy(fixture.signer.vkey)), { now: fixture.clock.now() });
    expect(report).toMatchObject({ ok: false, level: 'NONE' });
    expect(failures(report)[0]).toMatchObject({ name: 'archive', where: expect.stringContaining('byte') });
  });
});

describe('custody verify', () => {
  it('says what is proven and what is not, and exits with 0', async () => {
    const fixture = await told();
    const result = verifyCommand({
      bundle: await bundleOf(fixture, { incident: 'inc-1' }),
      policy: formatPolicy(fixture.signer.vkey),
      now: fixture.clock.now(),
    });
    expect(result.exitCode).toBe(0);
    expect(result.text).toContain('incident inc-1, 7 of 10 entries');
    expect(result.text).toContain('VERIFIED, level SELF-SIGNED');
    expect(result.text).toContain('Not proven:');
    expect(result.text).toContain('only a bundle of the whole log shows that');
    expect(result.text).not.toContain('✗');
  });

  it('exits with 1 when a check fails, and never shows a level then', async () => {
    const fixture = await told();
    const policy = formatPolicy(generateSigner(ORIGIN).vkey);
    const result = verifyCommand({ bundle: await bundleOf(fixture), policy, now: fixture.clock.now() });
    expect(result.exitCode).toBe(1);
    expect(result.text).toContain('NOT VERIFIED');
    expect(result.text).not.toContain('SELF-SIGNED');
  });

  it('reports as JSON', async () => {
    const fixture = await told();
    const policy = formatPolicy(fixture.signer.vkey);
    const { text } = verifyCommand({ bundle: await bundleOf(fixture), policy, json: true, now: fixture.clock.now() });
    expect(JSON.parse(text)).toMatchObject({ ok: true, level: 'SELF-SIGNED' });
  });

  it.each([
    ['a policy it cannot read', { policy: 'trust everyone' }, 'line 1'],
    ['an age it cannot read', { maxAge: 'soon' }, '"soon" is not a duration'],
  ])('exits with 2 for %s', async (_what, wrong, message) => {
    const fixture = await openFixture();
    const policy = formatPolicy(fixture.signer.vkey);
    const result = verifyCommand({ bundle: Buffer.alloc(0), policy, now: fixture.clock.now(), ...wrong });
    expect(result).toMatchObject({ exitCode: 2, text: expect.stringContaining(message) });
  });
});

describe('the archive', () => {
  it('takes no name twice and none that leads out of the folder', () => {
    const bytes = Buffer.from('x');
    expect(() =>
      packTar([
        { name: 'a', bytes },
        { name: 'a', bytes },
      ]),
    ).toThrow('twice');
    for (const name of ['/etc/passwd', '../a', 'a/../b', '', 'a//b', '.a', 'x'.repeat(101)]) {
      expect(() => packTar([{ name, bytes }])).toThrow('cannot name a file');
    }
  });
});
