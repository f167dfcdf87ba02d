import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, describe, expect, it } from 'vitest';
import type { Entry } from '../../src/core/entry.ts';
import { verifyStore } from '../../src/custody/audit.ts';
import { openCheckpoint } from '../../src/custody/checkpoint.ts';
import { type Append, EntryRefused } from '../../src/custody/ledger.ts';
import { leafHash } from '../../src/custody/merkle.ts';
import { parseVkey } from '../../src/custody/note.ts';
import { generateSigner } from '../../src/custody/signer.ts';
import { append, BOT, done, heartbeat, intent, ORIGIN, openFixture, planned, STORY } from './fixture.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});
async function databaseFile(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'tourniquet-ledger-'));
  folders.push(folder);
  return join(folder, 'db.sqlite');
}

describe('the ledger', () => {
  it('gives entries the sequence numbers, mode and origin they keep, and signs one checkpoint for them', async () => {
    const { ledger, store, signer } = await openFixture();
    const entries = await ledger.commit(async (_tx, append) => [
      append(heartbeat),
      append(heartbeat),
      append(heartbeat),
    ]);
    expect(entries.map(({ seq }) => seq)).toEqual([0, 1, 2]);
    expect(entries.every((entry) => entry.ledger === ORIGIN && entry.mode === 'live')).toBe(true);
    const checkpoints = await store.db.selectFrom('checkpoint').selectAll().execute();
    expect(checkpoints).toHaveLength(1);
    const checkpoint = openCheckpoint(Buffer.from(checkpoints[0]?.note ?? ''), parseVkey(signer.vkey));
    expect(await ledger.head()).toEqual({ origin: ORIGIN, size: 3, root: checkpoint.root });
  });

  it('leaves nothing behind when the change throws after appending', async () => {
    const { ledger, store } = await openFixture();
    await ledger.commit(async (_tx, append) => append(heartbeat));
    const before = await ledger.head();
    const failing = ledger.commit(async (tx, append) => {
      append(heartbeat);
      await tx.insertInto('setting').values({ key: 'freeze', value: 'on' }).execute();
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(await ledger.head()).toEqual(before);
    expect(await store.db.selectFrom('setting').selectAll().execute()).toEqual([]);
    expect(await store.db.selectFrom('ledger').select('seq').execute()).toHaveLength(1);
  });

  it('writes no checkpoint when nothing was appended', async () => {
    const { ledger, store } = await openFixture();
    await ledger.commit(async (tx) => tx.insertInto('setting').values({ key: 'a', value: 'b' }).execute());
    expect(await store.db.selectFrom('checkpoint').selectAll().execute()).toEqual([]);
  });

  it('keeps concurrent commits in one gapless order, and signs those that share a transaction once', async () => {
    const { ledger, store, signer } = await openFixture();
    const seqs = await Promise.all(
      Array.from({ length: 20 }, () => ledger.commit(async (_tx, append) => append(heartbeat).seq)),
    );
    expect(seqs.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(await verifyStore(store.db, signer.vkey)).toMatchObject({ ok: true, size: 20, checkpoints: 2 });
  });

  it('gives a run its journal and an incident its entries, in order', async () => {
    const fixture = await openFixture();
    await append(fixture, STORY);
    const journal = await fixture.ledger.journal('run-1');
    expect(journal.map(({ type }) => type)).toEqual(['decision', 'plan', 'approval', 'intent', 'result']);
    expect((await fixture.ledger.ofIncident('inc-1')).map(({ seq }) => seq)).toEqual([1, 2, 4, 5, 6, 8]);
  });

  it('tells listeners after the commit, and a listener that throws breaks nothing', async () => {
    const { ledger } = await openFixture();
    const heard: Entry[] = [];
    ledger.onAppend(() => {
      throw new Error('listener is broken');
    });
    const stop = ledger.onAppend((entries) => heard.push(...entries));
    const warned = new Promise<Error>((resolve) => process.once('warning', resolve));
    const entry = await ledger.commit(async (_tx, append) => append(heartbeat));
    expect(heard).toEqual([entry]);
    expect((await warned).message).toBe('listener is broken');
    stop();
    await ledger.commit(async (_tx, append) => append(heartbeat));
    expect(heard).toHaveLength(1);
  });

  it('never lets strange text stop a containment: it is brought to NFC and lone surrogates are replaced', async () => {
    const { ledger, store, signer } = await openFixture();
    const entry = await ledger.commit(async (_tx, append) => append({ ...heartbeat, why: 'e\u0301 \ud800 \u0000' }));
    expect(entry.why).toBe('\u00e9 \ufffd \u0000');
    expect(await verifyStore(store.db, signer.vkey)).toMatchObject({ ok: true });
  });

  it.each([
    ['a fraction', { ...intent, input: { n: [1, 0.5] } }, '$.input.n[1] is 0.5'],
    ['an unsafe integer', { ...intent, input: 2 ** 53 }, '$.input is 9007199254740992'],
    [
      'a Date',
      { ...intent, input: JSON.parse('{}'), before: { at: new Date(0) as never } },
      '$.before.at is an object of a class',
    ],
    ['too much text', { ...heartbeat, why: 'x'.repeat(70_000) }, 'holds at most 65535'],
    ['a field it does not know', { ...heartbeat, colour: 'red' }, 'colour'],
    ['a negative attempt', { ...done, attempt: -1 }, 'attempt'],
    ["another plan's hash", { ...planned(), sha256: '0'.repeat(64) }, 'is not that of the plan'],
  ])('refuses %s and says where', async (_what, draft, message) => {
    const { ledger } = await openFixture();
    const refused = ledger.commit(async (_tx, append) => append(draft));
    await expect(refused).rejects.toThrow(EntryRefused);
    await expect(refused).rejects.toThrow(message);
    expect((await ledger.head()).size).toBe(0);
  });

  it('refuses an append after its transaction has ended, well or badly', async () => {
    const { ledger } = await openFixture();
    let kept: Append | undefined;
    const failing = ledger.commit(async (_tx, append) => {
      kept = append;
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    expect(() => kept?.(heartbeat)).toThrow('after its transaction ended');
    const late = await ledger.commit(async (_tx, append) => append);
    expect(() => late({ type: 'heartbeat', actor: BOT })).toThrow('after its transaction ended');
  });

  it('goes on where it stopped when it is opened again', async () => {
    const file = await databaseFile();
    const first = await openFixture({ file });
    await append(first, STORY);
    const head = await first.ledger.head();
    await first.store.close();
    const second = await openFixture({ file });
    expect(await second.ledger.head()).toEqual(head);
    await append(second, [heartbeat]);
    expect(await verifyStore(second.store.db, second.signer.vkey)).toMatchObject({ ok: true, size: head.size + 1 });
    await second.store.close();
  });
});

describe('a database changed behind the ledger', () => {
  async function tampered(statement: string): Promise<string> {
    const file = await databaseFile();
    const fixture = await openFixture({ file });
    await append(fixture, STORY);
    await sql.raw(statement).execute(fixture.store.db);
    await fixture.store.close();
    return file;
  }

  it.each([
    ['the last entry is deleted', 'delete from ledger where seq = 9', 'The log holds 9 entries but its head says 10'],
    ['an entry in the middle is deleted', 'delete from ledger where seq = 4', 'The log holds 9 entries'],
    ['the tail is cut with its head', 'delete from ledger where seq > 7; ', 'The log holds 8 entries'],
    ['the last checkpoint is deleted', 'delete from checkpoint where size = 10', 'says 10 entries but 9 are signed'],
    ['the head is set back', 'update ledger_head set size = 7', 'The head of the log is damaged'],
    ['the last entry is moved up', 'update ledger set seq = 20 where seq = 9', 'The log holds 10 entries'],
    ['the head is deleted', 'delete from ledger_head', 'its head is missing'],
    [
      'the head has another root',
      `update ledger_head set range = replace(range, 'a', 'b')`,
      'root hash that is signed',
    ],
    [
      'the checkpoint is edited',
      `update checkpoint set note = replace(note, char(10) || '10' || char(10), char(10) || '11' || char(10))`,
      'does not verify',
    ],
  ])('is refused on opening when %s', async (_what, statement, message) => {
    await expect(openFixture({ file: await tampered(statement) })).rejects.toThrow(message);
  });

  it.each([
    [
      'an edited entry',
      [`update ledger set bytes = cast(replace(cast(bytes as text), 'Inactive', 'Deletedx') as blob) where seq = 8`],
      'Entry 8 was changed',
    ],
    ['an entry moved to another incident', [`update ledger set incident = 'inc-2' where seq = 8`], 'column incident'],
    [
      'two entries swapped',
      [
        'update ledger set seq = -1 where seq = 3',
        'update ledger set seq = 3 where seq = 7',
        'update ledger set seq = 7 where seq = -1',
      ],
      'Entry 3 was changed',
    ],
    ['an entry moved out of sight', ['update ledger set seq = -1 where seq = 3'], 'Entry 3 is missing'],
    [
      'an old checkpoint replaced',
      ['update checkpoint set note = (select note from checkpoint where size = 3) where size = 4'],
      'speaks of another size',
    ],
  ])('is found by the full check: %s', async (_what, statements, message) => {
    const file = await databaseFile();
    const fixture = await openFixture({ file });
    await append(fixture, STORY);
    for (const one of statements) await sql.raw(one).execute(fixture.store.db);
    const report = await verifyStore(fixture.store.db, fixture.signer.vkey);
    expect(report.ok).toBe(false);
    expect(report.ok ? '' : report.problem).toContain(message);
    await fixture.store.close();
  });

  it('is found by the full check: an entry replaced by a well-formed one, hash and all', async () => {
    const { store, ledger, signer, clock } = await openFixture();
    await append({ ledger, clock }, STORY);
    const row = await store.db.selectFrom('ledger').selectAll().where('seq', '=', 8).executeTakeFirstOrThrow();
    const bytes = Buffer.from(row.bytes.toString().replace('Inactive', 'Deletedx'));
    await store.db
      .updateTable('ledger')
      .set({ bytes, leaf: leafHash(bytes) })
      .where('seq', '=', 8)
      .execute();
    expect(await verifyStore(store.db, signer.vkey)).toMatchObject({
      ok: false,
      problem: expect.stringContaining('The entries up to 8 do not have the root hash that was signed'),
    });
  });

  it('is not what a database that cannot be read is reported as', async () => {
    const { store, signer } = await openFixture();
    await store.close();
    await expect(verifyStore(store.db, signer.vkey)).rejects.toThrow('destroyed');
  });

  it('is found by the full check: an entry replaced by something that is none', async () => {
    const { store, ledger, signer, clock } = await openFixture();
    await append({ ledger, clock }, STORY);
    const bytes = Buffer.from('{"v":2}');
    await store.db
      .updateTable('ledger')
      .set({ bytes, leaf: leafHash(bytes) })
      .where('seq', '=', 8)
      .execute();
    expect(await verifyStore(store.db, signer.vkey)).toMatchObject({
      ok: false,
      problem: expect.stringContaining('not an entry that this ledger writes'),
    });
  });

  it('never reaches the engine: a journal with an edited entry is refused', async () => {
    const fixture = await openFixture();
    await append(fixture, STORY);
    const edit = `update ledger set bytes = cast(replace(cast(bytes as text), 'Inactive', 'Deletedx') as blob) where seq = 8`;
    await sql.raw(edit).execute(fixture.store.db);
    await expect(fixture.ledger.journal('run-1')).rejects.toThrow('Entry 8 was changed');
  });

  it('is refused when the key is not the one that signed it', async () => {
    const file = await tampered('select 1');
    const signer = generateSigner(ORIGIN, new Uint8Array(32).fill(8));
    await expect(openFixture({ file, signer })).rejects.toThrow('does not verify under the key');
  });

  it('is refused when it holds another log', async () => {
    const file = await tampered('select 1');
    await expect(openFixture({ file, origin: 'example.org/other' })).rejects.toThrow('not of example.org/other');
  });
});
