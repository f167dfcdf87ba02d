import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Entry, EntryDraft } from '../../src/core/entry.ts';
import { exportBundle, exportCheckpoint } from '../../src/custody/bundle.ts';
import { sha256OfJson } from '../../src/custody/canonical.ts';
import { checkpointFile, ENTRIES, ENVELOPE, LEAVES, MANIFEST } from '../../src/custody/layout.ts';
import { readManifest, writeManifest } from '../../src/custody/manifest.ts';
import { leafHash } from '../../src/custody/merkle.ts';
import { keyPairOf, parseNote, signEd25519 } from '../../src/custody/note.ts';
import { formatPolicy, parsePolicy } from '../../src/custody/policy.ts';
import { formatInclusion, parseInclusion } from '../../src/custody/proof.ts';
import { RULES } from '../../src/custody/rules.ts';
import { generateSigner, type Signer } from '../../src/custody/signer.ts';
import { packTar, readTar } from '../../src/custody/tar.ts';
import { type Report, type VerifyOptions, verifyBundle } from '../../src/custody/verify.ts';
import {
  ALICE,
  append,
  approval,
  BOB,
  done,
  type Fixture,
  heartbeat,
  intent,
  ORIGIN,
  openFixture,
  PLAN,
  planned,
  runOpened,
  START,
  STORY,
} from './fixture.ts';

const PLAN_B = { ...PLAN, title: 'Another way' };
const tool = { name: 'tourniquet', version: '0.1.0', configSha256: '0'.repeat(64) };

async function told(
  drafts: readonly EntryDraft[] = STORY,
  over: Parameters<typeof openFixture>[0] = {},
): Promise<Fixture> {
  const fixture = await openFixture(over);
  await append(fixture, drafts);
  return fixture;
}
const bundleOf = ({ store, signer, clock }: Fixture, more: { incident?: string; since?: number } = {}) =>
  exportBundle({ store, signer, tool, now: clock.now(), ...more });
const verify = (
  bundle: Buffer,
  { signer, clock }: Pick<Fixture, 'signer' | 'clock'>,
  more: Partial<VerifyOptions> = {},
): Report => verifyBundle(bundle, parsePolicy(formatPolicy(signer.vkey)), { now: clock.now(), ...more });
const failed = (report: Report): readonly string[] => report.checks.filter(({ ok }) => !ok).map(({ name }) => name);
const placeOf = (report: Report, name: string): string => {
  const check = report.checks.find((each) => each.name === name);
  return check && !check.ok ? `${check.where}: ${check.detail}` : 'passed';
};

/** A forger who may sign manifests anew (with `signer`) but cannot sign another checkpoint. */
function forge(
  bundle: Buffer,
  signer: Signer,
  change: (files: Map<string, Buffer>) => void,
  facts: object = {},
): Buffer {
  const files = new Map(readTar(bundle).map(({ name, bytes }) => [name, bytes]));
  const { digests: _old, ...claims } = readManifest(files.get(MANIFEST) ?? Buffer.alloc(0));
  change(files);
  files.delete(MANIFEST);
  files.delete(ENVELOPE);
  const kept = [...files].map(([name, bytes]) => ({ name, bytes }));
  return packTar([...kept, ...writeManifest({ ...claims, ...facts }, kept, signer)]);
}

const linesOf = (files: Map<string, Buffer>): string[] => files.get(ENTRIES)?.toString().split('\n').slice(0, -1) ?? [];
/** Rewrites the entries, and with them the list of leaves, as a careful forger would. */
function rewrite(files: Map<string, Buffer>, change: (lines: string[]) => string[]): void {
  const lines = change(linesOf(files));
  files.set(ENTRIES, Buffer.from(lines.map((line) => `${line}\n`).join('')));
  if (files.has(LEAVES))
    files.set(LEAVES, Buffer.from(lines.map((line) => `${leafHash(Buffer.from(line))}\n`).join('')));
}
const edited = (lines: string[], i: number, from: string, to: string): string[] =>
  lines.map((line, at) => (at === i ? line.replace(from, to) : line));

describe('someone who exports a forged bundle without rebuilding the log', () => {
  it.each([
    ['edits an entry', (l: string[]) => edited(l, 8, 'Inactive', 'Deleted'), 'in the signed log'],
    ['changes the approver', (l: string[]) => edited(l, 5, '"id":"bob"', '"id":"eve"'), 'in the signed log'],
    ['deletes an entry', (l: string[]) => l.toSpliced(5, 1), 'order'],
    ['swaps two entries', (l: string[]) => l.with(3, l[7] ?? '').with(7, l[3] ?? ''), 'order'],
    ['cuts off the tail', (l: string[]) => l.slice(0, 7), 'order'],
    ['repeats an entry', (l: string[]) => l.toSpliced(8, 0, l[7] ?? ''), 'unique entries'],
    ['gives an entry a member twice', (l: string[]) => edited(l, 0, '"v":1', '"v":1,"v":1'), 'entries'],
    ['adds white space', (l: string[]) => edited(l, 0, ':', ': '), 'entries'],
    ['adds a field', (l: string[]) => edited(l, 0, '"v":1', '"v":1,"x":1'), 'entries'],
    ['takes an entry of another log', (l: string[]) => edited(l, 0, ORIGIN, 'example.org/other'), 'entries'],
    ['inserts an empty line', (l: string[]) => l.toSpliced(4, 0, ''), 'entries'],
  ])('is found out when he %s', async (_what, change, name) => {
    const fixture = await told();
    const forged = forge(await bundleOf(fixture), fixture.signer, (files) => rewrite(files, change));
    const report = verify(forged, fixture);
    expect(failed(report)).toContain(name);
    expect(placeOf(report, name)).toContain('entries.jsonl');
    expect(failed(report)).not.toContain('signature of the bundle');
  });

  it.each([
    ['edits an entry', (l: string[]) => edited(l, 6, 'Inactive', 'Deleted'), 'in the signed log'],
    ['leaves out an entry but not its proof', (l: string[]) => l.toSpliced(3, 1), 'nothing else inside'],
    ['repeats an entry', (l: string[]) => l.toSpliced(3, 0, l[3] ?? ''), 'order'],
    ['swaps two entries', (l: string[]) => l.with(3, l[4] ?? '').with(4, l[3] ?? ''), 'order'],
    ['moves an entry in from another incident', (l: string[]) => edited(l, 6, 'inc-1', 'inc-3'), 'order'],
  ])('of one incident is found out when he %s', async (_what, change, name) => {
    const fixture = await told();
    const forged = forge(await bundleOf(fixture, { incident: 'inc-1' }), fixture.signer, (files) =>
      rewrite(files, change),
    );
    expect(failed(verify(forged, fixture))).toContain(name);
  });

  it('is found out when he puts an older checkpoint over the longer log', async () => {
    const fixture = await told();
    const older = await fixture.store.db
      .selectFrom('checkpoint')
      .selectAll()
      .where('size', '=', 6)
      .executeTakeFirstOrThrow();
    const root = Buffer.from(older.note.split('\n')[2] ?? '', 'base64').toString('hex');
    const forged = forge(
      await bundleOf(fixture),
      fixture.signer,
      (files) => {
        files.delete(checkpointFile(10));
        files.set(checkpointFile(6), Buffer.from(older.note));
      },
      { log: { origin: ORIGIN, size: 6, root } },
    );
    const report = verify(forged, fixture);
    expect(failed(report)).toEqual(expect.arrayContaining(['order', 'in the signed log']));
    expect(failed(report)).not.toContain('checkpoint');
  });

  it('is found out when he adds a file, or a proof of another entry', async () => {
    const fixture = await told();
    const extra = forge(await bundleOf(fixture), fixture.signer, (files) =>
      files.set('notes.txt', Buffer.from('trust me')),
    );
    expect(placeOf(verify(extra, fixture), 'nothing else inside')).toContain('notes.txt');
    const swapped = forge(await bundleOf(fixture, { incident: 'inc-1' }), fixture.signer, (files) => {
      files.set('proofs/4.tlog-proof', files.get('proofs/5.tlog-proof') ?? Buffer.alloc(0));
    });
    expect(placeOf(verify(swapped, fixture), 'in the signed log')).toMatch(
      /^proofs\/4.tlog-proof: It is the proof of another entry/,
    );
  });

  it('is found out when he slips in a file that the manifest does not name', async () => {
    const fixture = await told();
    const files = [...readTar(await bundleOf(fixture)), { name: 'proofs/extra.txt', bytes: Buffer.from('trust me') }];
    expect(placeOf(verify(packTar(files), fixture), 'every file as signed')).toContain('proofs/extra.txt');
  });

  it('is found out when his manifest gives another root than the checkpoint', async () => {
    const fixture = await told();
    const log = { origin: ORIGIN, size: 10, root: 'f'.repeat(64) };
    const forged = forge(await bundleOf(fixture), fixture.signer, () => {}, { log });
    expect(placeOf(verify(forged, fixture), 'checkpoint')).toContain('checkpoints/10.note');
  });

  it('is found out when he signs with a key of his own and names the real one', async () => {
    const fixture = await told();
    const pretender = { ...generateSigner(ORIGIN), vkey: fixture.signer.vkey };
    const forged = forge(await bundleOf(fixture), pretender, () => {});
    expect(failed(verify(forged, fixture))).toEqual(['signature of the bundle']);
  });

  it('is found out when he replaces the readable form by one of another bundle', async () => {
    const fixture = await told();
    const bundle = await bundleOf(fixture);
    const files = readTar(bundle).map((file) =>
      file.name === 'custody-form.html' ? { ...file, bytes: Buffer.from('<h1>all is well</h1>') } : file,
    );
    expect(placeOf(verify(packTar(files), fixture), 'every file as signed')).toContain('custody-form.html');
  });
});

describe('a log presented as another', () => {
  it('is refused when everything was rebuilt with another key of the same name', async () => {
    const real = await told();
    const rebuilt = await told(STORY, { signer: generateSigner(ORIGIN, new Uint8Array(32).fill(9)) });
    const report = verify(await bundleOf(rebuilt), real);
    expect(failed(report)).toEqual(expect.arrayContaining(['signature of the bundle', 'checkpoint']));
  });

  it('is refused when a drill is shown as a real incident: its origin is not the one that the policy names', async () => {
    const real = await told();
    const drill = await told(STORY, { origin: 'example.org/tourniquet/drill', mode: 'drill' });
    const report = verify(await bundleOf(drill), real);
    expect(placeOf(report, 'trusted log')).toContain('says itself that it is a drill');
    expect(verify(await bundleOf(drill), drill)).toMatchObject({ ok: true, claims: { mode: 'drill' } });
  });

  it('is refused when a drill calls itself live in the manifest', async () => {
    const drill = await told(STORY, { mode: 'drill' });
    const forged = forge(await bundleOf(drill), drill.signer, () => {}, { mode: 'live' });
    expect(placeOf(verify(forged, drill), 'entries')).toContain('written in drill mode, the bundle says live');
  });
});

describe('a log cut back to an older, valid state', () => {
  it('is refused by a checkpoint that the auditor kept', async () => {
    const fixture = await told();
    const note = await exportCheckpoint(fixture.store, fixture.signer.vkey);
    const cut = await told(STORY.slice(0, 6));
    expect(verify(await bundleOf(cut), cut).ok).toBe(true);
    const report = verify(await bundleOf(cut), cut, { seen: Buffer.from(note) });
    expect(placeOf(report, 'grown since the checkpoint you hold')).toContain('4 were cut off');
  });

  it('is refused by --max-age when its newest entry is too old', async () => {
    const fixture = await told();
    const bundle = await bundleOf(fixture);
    fixture.clock.advance(3_600_000);
    expect(verify(bundle, fixture, { maxAgeMs: 7_200_000 }).ok).toBe(true);
    expect(failed(verify(bundle, fixture, { maxAgeMs: 1_800_000 }))).toEqual(['recent']);
  });

  it('is not made recent by a date in the future', async () => {
    const fixture = await told();
    const yesterday = new Date(START.getTime() - 86_400_000);
    const report = verify(await bundleOf(fixture), fixture, { maxAgeMs: 60_000, now: yesterday });
    expect(placeOf(report, 'recent')).toContain('dated 1d 9s in the future');
  });

  it.each([
    ['a whole log', {}],
    ['one incident', { incident: 'inc-1', since: 5 }],
  ])('is not suspected when %s only grew, and a fork is', async (_what, options) => {
    const seenIn = async (fixture: Fixture) => {
      const row = await fixture.store.db
        .selectFrom('checkpoint')
        .selectAll()
        .where('size', '=', 5)
        .executeTakeFirstOrThrow();
      return Buffer.from(row.note);
    };
    const fixture = await told();
    const fork = await told([{ ...heartbeat, why: 'another history' }, ...STORY.slice(1)]);
    expect(verify(await bundleOf(fixture, options), fixture, { seen: await seenIn(fixture) }).ok).toBe(true);
    const report = verify(await bundleOf(fixture, options), fixture, { seen: await seenIn(fork) });
    expect(placeOf(report, 'grown since the checkpoint you hold')).toContain('history was rewritten');
  });

  it('is neither proven nor believed without the proof that it grew', async () => {
    const fixture = await told();
    const row = await fixture.store.db
      .selectFrom('checkpoint')
      .selectAll()
      .where('size', '=', 5)
      .executeTakeFirstOrThrow();
    const report = verify(await bundleOf(fixture, { incident: 'inc-1' }), fixture, { seen: Buffer.from(row.note) });
    expect(placeOf(report, 'grown since the checkpoint you hold')).toContain(
      'Ask for an export with the proof since 5',
    );
  });
});

describe('a truly signed log that breaks a rule', () => {
  it.each([
    ['an approval of a plan that was never laid down', [planned(), approval('f'.repeat(64))], 'approvals', 'entry 1'],
    ['an approval before its plan', [approval(), planned()], 'approvals', 'entry 0'],
    ['an approval of the plan of another run', [planned(), { ...approval(), run: 'run-2' }], 'approvals', 'entry 1'],
    [
      'an approval that was used for another plan before',
      [planned(), planned(PLAN_B), approval(), approval(sha256OfJson(PLAN_B))],
      'approvals',
      'already used for another plan',
    ],
    [
      'an approver who had asked for it',
      [runOpened('bob'), planned(), approval(undefined, BOB)],
      'separation of duties',
      'entry 2',
    ],
    ['a result without an intent', [done], 'log before act', 'entry 0'],
    ['an intent recorded after its result', [done, intent], 'log before act', 'entry 0'],
    ['a result of another attempt', [intent, { ...done, attempt: 2 } as EntryDraft], 'log before act', 'entry 1'],
    [
      'an undo without an intent',
      [{ type: 'undo', actor: ALICE, step: 's', attempt: 1, stage: 'done' } as EntryDraft],
      'log before act',
      'entry 0',
    ],
  ])('by %s is refused', async (_what, drafts, name, place) => {
    const fixture = await told(drafts);
    const report = verify(await bundleOf(fixture), fixture);
    expect(failed(report)).toEqual([name]);
    expect(placeOf(report, name)).toContain(place);
  });

  it('by a denial of one’s own request is none: only approving it is', async () => {
    const fixture = await told([
      runOpened('bob'),
      planned(),
      { ...approval(undefined, BOB), verdict: 'deny' } as EntryDraft,
    ]);
    expect(verify(await bundleOf(fixture), fixture).ok).toBe(true);
  });

  it('by a report of a person or a skipped step is none: the program did not act', async () => {
    const fixture = await told([
      { ...done, by: 'person' } as EntryDraft,
      { ...done, outcome: 'skipped' } as EntryDraft,
    ]);
    expect(verify(await bundleOf(fixture), fixture).ok).toBe(true);
  });

  it('by a clock that was set back is refused', async () => {
    const fixture = await openFixture();
    fixture.clock.moveTo(new Date(START.getTime() + 86_400_000));
    await append(fixture, [heartbeat]);
    const again = await openFixture({ on: fixture.store });
    await append(again, [heartbeat]);
    const report = verify(await bundleOf(again), fixture);
    expect(failed(report)).toEqual(['time']);
    expect(placeOf(report, 'time')).toContain('1d before that of entry 0: the clock was set back');
  });
});

describe('a rule over entries', () => {
  const hold = (name: string, entries: readonly Entry[]) => RULES.find((rule) => rule.name === name)?.hold(entries);

  it('lets the monotonic clock of one boot only rise, and that of another begin anew', async () => {
    const entries = await (await told()).ledger.journal('run-1');
    const last = entries.length - 1;
    const shifted = (bootId: string) =>
      entries.map((entry, i) => (i === last ? { ...entry, time: { ...entry.time, monotonicNs: '1', bootId } } : entry));
    expect(() => hold('time', shifted(entries[0]?.time.bootId ?? ''))).toThrow('monotonic clock is behind');
    expect(hold('time', shifted('another boot'))).toBe('times rise with the entries');
  });

  it('tells of a small clock correction and lets it pass', async () => {
    const entries = await (await told()).ledger.journal('run-1');
    const corrected = entries.map((entry, i) =>
      i === 2 ? { ...entry, time: { ...entry.time, utc: START.toISOString() } } : entry,
    );
    expect(hold('time', corrected)).toBe('times rise, but for clock corrections of at most 4s');
  });

  it('recomputes the hash of every plan', async () => {
    const entries = await (await told()).ledger.journal('run-1');
    const swapped = entries.map((entry) => (entry.type === 'plan' ? { ...entry, plan: PLAN_B } : entry));
    expect(() => hold('plans', swapped)).toThrow('not that of its plan');
  });
});

describe('a proof file', () => {
  it('is read only in the one form in which it is written', () => {
    const file = { index: 3, proof: ['ab'.repeat(32)], checkpoint: 'note\n' };
    const text = formatInclusion(file);
    expect(parseInclusion(Buffer.from(text))).toEqual(file);
    for (const other of [text.replace('6s=', '6t='), text.replace('index 3', 'index 03'), text.replace('v1', 'v2')]) {
      expect(other).not.toBe(text);
      expect(() => parseInclusion(Buffer.from(other))).toThrow();
    }
  });
});

describe('witnesses', () => {
  const seed = new Uint8Array(32).fill(5);
  const raw = keyPairOf(seed).publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const key = Buffer.concat([Buffer.of(0x04), raw]);
  const name = 'witness.example.net/w1';
  const keyHash = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), key]), 'hex').slice(0, 8);
  const vkey = `${name}+${keyHash}+${key.toString('base64')}`;

  function cosign(note: string, message = parseNote(Buffer.from(note)).text): string {
    const time = Buffer.alloc(8);
    time.writeBigUInt64BE(1_772_355_600n);
    const signature = signEd25519(
      keyPairOf(seed).privateKey,
      Buffer.from(`cosignature/v1\ntime 1772355600\n${message}`),
    );
    return `${note}— ${name} ${Buffer.concat([Buffer.from(keyHash, 'hex'), time, signature]).toString('base64')}\n`;
  }
  async function cosigned(change: (note: string) => string) {
    const fixture = await told();
    const { note } = await fixture.store.db
      .selectFrom('checkpoint')
      .selectAll()
      .where('size', '=', 10)
      .executeTakeFirstOrThrow();
    await fixture.store.db
      .updateTable('checkpoint')
      .set({ note: change(note) })
      .where('size', '=', 10)
      .execute();
    const policy = parsePolicy(`log ${fixture.signer.vkey}\nwitness w1 ${vkey}\ngroup g any w1\nquorum g\n`);
    return verifyBundle(await bundleOf(fixture, { incident: 'inc-1' }), policy, { now: fixture.clock.now() });
  }

  it('that cosigned the checkpoint raise the level to WITNESSED', async () => {
    expect(await cosigned(cosign)).toMatchObject({ ok: true, level: 'WITNESSED' });
  });

  it('whose cosignature was stripped, or is of another checkpoint, do not', async () => {
    expect(failed(await cosigned((note) => note))).toEqual(['witnesses']);
    expect(failed(await cosigned((note) => cosign(note, 'another checkpoint\n')))).toEqual(['witnesses']);
    const short = Buffer.concat([Buffer.from(keyHash, 'hex'), Buffer.of(1, 2)]).toString('base64');
    expect(placeOf(await cosigned((note) => `${note}— ${name} ${short}\n`), 'witnesses')).toContain('Too few');
  });
});
