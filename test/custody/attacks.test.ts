import { hash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EntryDraft } from '../../src/core/entry.ts';
import { anchorsOf, keepAnchor } from '../../src/custody/anchors/store.ts';
import { parseAuthorities } from '../../src/custody/anchors/timestamp-client.ts';
import { exportBundle, exportCheckpoint } from '../../src/custody/bundle.ts';
import { sha256OfJson } from '../../src/custody/canonical.ts';
import { checkpointFile, ENTRIES, ENVELOPE, FORM, inclusionFile, LEAVES, MANIFEST } from '../../src/custody/layout.ts';
import { readManifest, writeManifest } from '../../src/custody/manifest.ts';
import { leafHash } from '../../src/custody/merkle.ts';
import { parsePolicy } from '../../src/custody/policy.ts';
import { generateSigner, type Signer } from '../../src/custody/signer.ts';
import { packTar, readTar } from '../../src/custody/tar.ts';
import { type Level, type Report, type VerifyOptions, verifyBundle } from '../../src/custody/verify.ts';
import {
  append,
  approval,
  BOB,
  type Fixture,
  heartbeat,
  ORIGIN,
  openFixture,
  PLAN,
  planned,
  START,
  STORY,
} from './fixture.ts';
import { anchoringOf, startAuthority, startWitness, type TestAuthority, type TestWitness } from './outside.ts';

/**
 * Every tampering of the design's list, done and then looked at through three policies: one that relies on the log's own key, one
 * that also demands a time stamp, one that also demands a witness. Each attack is by somebody with certain means; what these means
 * cannot do is caught from inside the bundle, and what they can do only from outside.
 */

const tool = { name: 'tourniquet', version: '0.1.0', configSha256: '0'.repeat(64) };
const KEY = generateSigner(ORIGIN, new Uint8Array(32).fill(7));
const LEVELS = ['SELF-SIGNED', 'ANCHORED', 'WITNESSED'] as const satisfies readonly Level[];
type Demanded = (typeof LEVELS)[number];

let authority: TestAuthority;
let witness: TestWitness;
let truth: Fixture;
let bundle: Buffer;
let incident: Buffer;
/** The checkpoint that an auditor kept of the true log. */
let seen: Buffer;

beforeAll(async () => {
  authority = await startAuthority();
  witness = await startWitness([KEY.vkey]);
  truth = await told(STORY);
  await anchor(truth);
  bundle = await bundleOf(truth);
  incident = await bundleOf(truth, 'inc-1');
  seen = Buffer.from(await exportCheckpoint(truth.store, KEY.vkey));
});
afterAll(() => Promise.all([authority.close(), witness.close()]));

async function told(drafts: readonly EntryDraft[], over: Parameters<typeof openFixture>[0] = {}): Promise<Fixture> {
  const fixture = await openFixture(over);
  await append(fixture, drafts);
  return fixture;
}
const anchor = (fixture: Fixture) =>
  anchoringOf(fixture, [witness], { authorities: parseAuthorities(`openssl ${authority.url}`) }).anchoring.anchorHead();
const bundleOf = ({ store, signer, clock }: Fixture, ofIncident?: string) =>
  exportBundle({
    store,
    signer,
    tool,
    now: clock.now(),
    ...(ofIncident === undefined ? {} : { incident: ofIncident }),
  });

const POLICY: Record<Demanded, () => string> = {
  'SELF-SIGNED': () => `log ${KEY.vkey}\nquorum none\n`,
  ANCHORED: () => `log ${KEY.vkey}\ntsa openssl ${authority.certificate}\nquorum none\n`,
  WITNESSED: () => `log ${KEY.vkey}\nwitness w ${witness.vkey}\nquorum w\n`,
};
const examine = (suspect: Buffer, level: Demanded, more: Partial<VerifyOptions> = {}): Report =>
  verifyBundle(suspect, parsePolicy(POLICY[level]()), { now: truth.clock.now(), ...more });
const failed = (report: Report): readonly string[] => report.checks.filter(({ ok }) => !ok).map(({ name }) => name);

/** Signs the manifest of changed files anew. */
function forge(from: Buffer, signer: Signer, change: (files: Map<string, Buffer>) => void, facts: object = {}): Buffer {
  const files = new Map(readTar(from).map(({ name, bytes }) => [name, bytes]));
  const { digests: _old, ...claims } = readManifest(files.get(MANIFEST) ?? Buffer.alloc(0));
  change(files);
  files.delete(MANIFEST);
  files.delete(ENVELOPE);
  const kept = [...files].map(([name, bytes]) => ({ name, bytes }));
  return packTar([...kept, ...writeManifest({ ...claims, ...facts }, kept, signer)]);
}
const inPlace = (from: Buffer, name: string, bytes: Buffer): Buffer =>
  packTar(readTar(from).map((file) => (file.name === name ? { name, bytes } : file)));
/** Rewrites the entries and, as a careful forger would, their list of leaves. */
const entries = (change: (lines: string[]) => string[]) => (files: Map<string, Buffer>) => {
  const lines = change(files.get(ENTRIES)?.toString().split('\n').slice(0, -1) ?? []);
  files.set(ENTRIES, Buffer.from(lines.map((line) => `${line}\n`).join('')));
  if (files.has(LEAVES))
    files.set(LEAVES, Buffer.from(lines.map((line) => `${leafHash(Buffer.from(line))}\n`).join('')));
};
const edit = (at: number, from: string, to: string) => (lines: string[]) =>
  lines.map((line, i) => (i === at ? line.replace(from, to) : line));

describe('the truth', () => {
  it.each(LEVELS)('reaches %s under the policy that demands it', (level) => {
    for (const each of [bundle, incident]) {
      const report = examine(each, level);
      expect(failed(report)).toEqual([]);
      expect(report.level).toBe(level);
    }
  });
});

describe('somebody with the file alone, and no key,', () => {
  const nobody = { ...generateSigner(ORIGIN, new Uint8Array(32).fill(66)), vkey: KEY.vkey };
  it.each<[string, () => Buffer, string]>([
    [
      'edits an entry',
      () => inPlace(bundle, ENTRIES, Buffer.from(contentOf(bundle, ENTRIES).replace('Inactive', 'Deleted!'))),
      'every file as signed',
    ],
    [
      'swaps the readable form',
      () => inPlace(bundle, FORM, Buffer.from('<h1>all is well</h1>')),
      'every file as signed',
    ],
    [
      'swaps a proof',
      () => inPlace(incident, inclusionFile(4), Buffer.from(contentOf(incident, inclusionFile(5)))),
      'every file as signed',
    ],
    [
      'signs his changes with a key of his own',
      () => forge(bundle, nobody, entries(edit(8, 'Inactive', 'Deleted'))),
      'signature of the bundle',
    ],
    [
      'puts another manifest over the files',
      () => inPlace(bundle, MANIFEST, Buffer.from(contentOf(bundle, MANIFEST).replace('"live"', '"drill"'))),
      'signature of the bundle',
    ],
    ['cuts the file short', () => bundle.subarray(0, bundle.length - 1024), 'archive'],
    ['hides something behind its end', () => Buffer.concat([bundle, Buffer.alloc(1024, 'x')]), 'archive'],
  ])('%s: caught at every level', (_what, attack, check) => {
    for (const level of LEVELS) expect(failed(examine(attack(), level))).toContain(check);
  });
});

const contentOf = (from: Buffer, file: string): string =>
  readTar(from)
    .find(({ name }) => name === file)
    ?.bytes.toString() ?? '';

describe('somebody who may sign manifests but not checkpoints', () => {
  const line = (i: number) => (l: string[]) => l[i] ?? '';
  it.each<[string, (lines: string[]) => string[], string]>([
    ['edits an entry', edit(8, 'Inactive', 'Deleted'), 'in the signed log'],
    ['changes the approver', edit(5, '"id":"bob"', '"id":"eve"'), 'in the signed log'],
    ['dates an entry back', edit(8, START.toISOString().slice(0, 16), '2026-02-01T09:00'), 'in the signed log'],
    ['deletes an entry', (l) => l.toSpliced(5, 1), 'order'],
    [
      'deletes an entry and renumbers the rest',
      (l) => l.toSpliced(5, 1).map((each, i) => each.replace(/"seq":\d+/, `"seq":${i}`)),
      'in the signed log',
    ],
    ['moves an entry', (l) => l.with(3, line(7)(l)).with(7, line(3)(l)), 'order'],
    ['cuts off the tail', (l) => l.slice(0, 7), 'order'],
    ['inserts an entry dated back', (l) => l.toSpliced(3, 0, line(3)(l).replace(/"id":"0000/, '"id":"1111')), 'order'],
    ['repeats an entry', (l) => l.toSpliced(8, 0, line(7)(l)), 'unique entries'],
    ['gives an entry a member twice', edit(0, '"v":1', '"v":1,"v":1'), 'entries'],
    ['writes an entry with other white space', edit(0, ':', ': '), 'entries'],
    ['writes a text in another normal form', edit(1, '\u00e9', 'e\u0301'), 'entries'],
    ['writes a character as an escape', edit(1, '\u00e9', '\\u00e9'), 'entries'],
    ['adds a field that no entry has', edit(0, '"v":1', '"v":1,"x":1'), 'entries'],
    ['takes in an entry of another log', edit(0, ORIGIN, 'example.org/other'), 'entries'],
  ])('%s: caught at every level', (_what, change, check) => {
    const forged = forge(bundle, KEY, entries(change));
    expect(forged.equals(bundle)).toBe(false);
    for (const level of LEVELS) {
      const report = examine(forged, level);
      expect(failed(report)).toContain(check);
      expect(report.level).toBe('NONE');
    }
  });

  it('swaps a blob of evidence, or slips in a file: caught at every level', () => {
    const swapped = forge(bundle, KEY, (files) =>
      files.set(`evidence/sha256/${'a'.repeat(64)}`, Buffer.from('another')),
    );
    for (const level of LEVELS) expect(failed(examine(swapped, level))).toEqual(['nothing else inside']);
  });

  it('presents an older checkpoint over the longer log: caught at every level', async () => {
    const { note } = await truth.store.db
      .selectFrom('checkpoint')
      .select('note')
      .where('size', '=', 6)
      .executeTakeFirstOrThrow();
    const root = Buffer.from(note.split('\n')[2] ?? '', 'base64').toString('hex');
    const forged = forge(
      bundle,
      KEY,
      (files) => {
        files.delete(checkpointFile(10));
        files.set(checkpointFile(6), Buffer.from(note));
      },
      { log: { origin: ORIGIN, size: 6, root } },
    );
    for (const level of LEVELS)
      expect(failed(examine(forged, level))).toEqual(expect.arrayContaining(['order', 'in the signed log']));
  });

  it('strips the cosignatures: caught where a witness is demanded, and nothing else is lost', () => {
    const stripped = (from: Buffer) =>
      forge(from, KEY, (files) => {
        const note = files.get(checkpointFile(10))?.toString() ?? '';
        files.set(checkpointFile(10), Buffer.from(note.replace(/— witness[^\n]*\n/, '')));
      });
    expect(failed(examine(stripped(bundle), 'WITNESSED'))).toEqual(['witnesses']);
    expect(failed(examine(stripped(bundle), 'SELF-SIGNED'))).toEqual([]);
  });

  it('strips the time stamp: caught where one is demanded', () => {
    const stripped = forge(bundle, KEY, (files) => files.delete('anchors/10.openssl.tsr'));
    expect(failed(examine(stripped, 'ANCHORED'))).toEqual(['time stamps']);
  });
});

describe('somebody without the log’s key', () => {
  it('rebuilds the whole log with a key of the same name: caught at every level', async () => {
    const rebuilt = await bundleOf(await told(STORY, { signer: generateSigner(ORIGIN, new Uint8Array(32).fill(66)) }));
    for (const level of LEVELS)
      expect(failed(examine(rebuilt, level))).toEqual(
        expect.arrayContaining(['signature of the bundle', 'checkpoint']),
      );
  });

  it('presents a drill as real: caught at every level', async () => {
    const origin = 'example.org/tourniquet/drill';
    const drill = await bundleOf(await told(STORY, { origin, mode: 'drill' }));
    const renamed = forge(await bundleOf(await told(STORY, { mode: 'drill' })), KEY, () => {}, { mode: 'live' });
    for (const level of LEVELS) {
      expect(failed(examine(drill, level))).toContain('trusted log');
      expect(failed(examine(renamed, level))).toContain('entries');
    }
  });
});

describe('the administrator, who holds the log’s key and the database,', () => {
  const LIES: readonly EntryDraft[] = STORY.toSpliced(
    5,
    1,
    approval(undefined, { kind: 'person', id: 'eve', authn: 'slack:U9' }),
  );

  it('rebuilds the log with another approver: believed by who relies on the key alone, caught by whoever saw the log', async () => {
    const liar = await told(LIES);
    const forged = await bundleOf(liar);
    expect(failed(examine(forged, 'SELF-SIGNED'))).toEqual([]); // the limit of a signature, and why there are anchors
    expect(failed(examine(forged, 'SELF-SIGNED', { seen }))).toEqual(['grown since the checkpoint you hold']);
    expect(failed(examine(forged, 'ANCHORED'))).toEqual(['time stamps']);
    expect(failed(examine(forged, 'WITNESSED'))).toEqual(['witnesses']);
  });

  it('and asks the witness to cosign the rebuilt log: refused, with an alert that says so', async () => {
    const { anchoring, troubles } = anchoringOf(await told(LIES), [witness]);
    expect(await anchoring.anchorHead()).toMatchObject({ is: 'unwitnessed', missing: [witness.name] });
    expect(troubles).toMatchObject([{ grave: true, because: expect.stringContaining('history was rewritten') }]);
  });

  it('and puts the true cosignature under the rebuilt log: caught', async () => {
    const liar = await told(LIES);
    for (const each of await anchorsOf(truth.store.db, 10)) await keepAnchor(liar.store, each);
    const forged = await bundleOf(liar);
    expect(failed(examine(forged, 'WITNESSED'))).toEqual(['witnesses']);
    expect(failed(examine(forged, 'ANCHORED'))).toEqual(['time stamps']);
  });

  it('rebuilds the log and has it stamped now: the stamp betrays nothing but its date, and --seen or a witness is what catches it', async () => {
    const liar = await told(LIES);
    await anchoringOf(liar, [], { authorities: parseAuthorities(`openssl ${authority.url}`) }).anchoring.anchorHead();
    const forged = await bundleOf(liar);
    expect(failed(examine(forged, 'ANCHORED'))).toEqual([]);
    expect(failed(examine(forged, 'ANCHORED', { seen }))).toEqual(['grown since the checkpoint you hold']);
    expect(failed(examine(forged, 'WITNESSED'))).toEqual(['witnesses']);
  });

  it('cuts the log back to an older, truly signed state: caught by --seen, by --max-age once time has passed, and by the witness', async () => {
    const cut = await told(STORY.slice(0, 6));
    const forged = await bundleOf(cut);
    expect(failed(examine(forged, 'SELF-SIGNED'))).toEqual([]);
    expect(failed(examine(forged, 'SELF-SIGNED', { seen }))).toEqual(['grown since the checkpoint you hold']);
    const later = new Date(truth.clock.now().getTime() + 86_400_000);
    expect(failed(examine(forged, 'SELF-SIGNED', { maxAgeMs: 3_600_000, now: later }))).toEqual(['recent']);
    expect(failed(examine(forged, 'WITNESSED'))).toEqual(['witnesses']);
    const { anchoring, troubles } = anchoringOf(cut, [witness]);
    await anchoring.anchorHead();
    expect(troubles).toMatchObject([{ grave: true, because: expect.stringContaining('the log was cut back') }]);
  });

  it('shows two histories to two people: each is believed alone, the witness cosigns one, and a kept checkpoint gives away the other', async () => {
    const fork = await told([...STORY.slice(0, 9), { ...heartbeat, why: 'for the other one' }]);
    const other = await bundleOf(fork);
    expect(failed(examine(other, 'SELF-SIGNED'))).toEqual([]);
    expect(failed(examine(other, 'SELF-SIGNED', { seen }))).toEqual(['grown since the checkpoint you hold']);
    expect(await anchoringOf(fork, [witness]).anchoring.anchorHead()).toMatchObject({ is: 'unwitnessed' });
    expect(failed(examine(other, 'WITNESSED'))).toEqual(['witnesses']);
  });

  it('sets the clock back to date an entry before its time: caught at every level by the entries around it', async () => {
    const fixture = await openFixture();
    fixture.clock.moveTo(new Date(START.getTime() + 86_400_000));
    await append(fixture, [heartbeat]);
    const back = await openFixture({ on: fixture.store });
    await append(back, [heartbeat]);
    expect(failed(examine(await bundleOf(back), 'SELF-SIGNED', { now: fixture.clock.now() }))).toEqual(['time']);
  });

  it('runs the clock ahead of the authority that stamped the log: caught where a stamp is demanded', async () => {
    const fixture = await openFixture();
    fixture.clock.moveTo(new Date('2099-01-01T00:00:00.000Z'));
    await append(fixture, STORY);
    await anchoringOf(fixture, [], {
      authorities: parseAuthorities(`openssl ${authority.url}`),
    }).anchoring.anchorHead();
    const forged = await bundleOf(fixture);
    expect(failed(examine(forged, 'SELF-SIGNED', { now: fixture.clock.now() }))).toEqual([]);
    expect(failed(examine(forged, 'ANCHORED', { now: fixture.clock.now() }))).toEqual(['time stamps']);
  });

  it.each<[string, readonly EntryDraft[], string]>([
    [
      'uses an approval for another plan',
      [planned(), planned({ ...PLAN, title: 'B' }), approval(), approval(sha256OfJson({ ...PLAN, title: 'B' }))],
      'approvals',
    ],
    [
      'invents an approval of a plan that was never laid down',
      [planned(), approval(hash('sha256', 'x', 'hex'))],
      'approvals',
    ],
    [
      'lets somebody approve what they asked for',
      [...STORY.slice(0, 2), { ...(STORY[2] ?? heartbeat) }, planned(), approval(undefined, { ...BOB, id: 'alice' })],
      'separation of duties',
    ],
  ])('truly signs a log that breaks a rule and %s: caught at every level', async (_what, drafts, check) => {
    const forged = await bundleOf(await told(drafts));
    for (const level of LEVELS) expect(failed(examine(forged, level))).toContain(check);
  });

  it('leaves entries out of the bundle of an incident: no bundle of it can show that, and the report says so; the whole log does', async () => {
    const chosen = forge(incident, KEY, (files) => {
      entries((l) => l.filter((each) => !each.includes('"type":"approval"')))(files);
      files.delete(inclusionFile(5));
    });
    expect(failed(examine(chosen, 'WITNESSED'))).toEqual([]);
    expect(
      failed(
        examine(
          forge(
            bundle,
            KEY,
            entries((l) => l.filter((each) => !each.includes('"type":"approval"'))),
          ),
          'SELF-SIGNED',
        ),
      ),
    ).toContain('order');
  });
});
