import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/core/clock.ts';
import { verifyStore } from '../../src/custody/audit.ts';
import { appendUnder, claim, LEASE_MS, nextDue, release, renew, Superseded } from '../../src/engine/lease.ts';
import { wake } from '../../src/incident/rows.ts';
import { nextItem, settle } from '../../src/ingest/queue.ts';
import { claimDelivery } from '../../src/slack/delivery.ts';
import { LEADER_MS, onlyOne } from '../../src/store/leader.ts';
import { migrations } from '../../src/store/migrations.ts';
import { createSeal, sealedStore } from '../../src/store/sealed.ts';
import { readSwitches, writeFrozen } from '../../src/store/settings.ts';
import type { Store } from '../../src/store/store.ts';
import type { Kind } from './kinds.ts';
import { heartbeat, ledgerOn, openRuns, put, settings, VKEY } from './replica.ts';

const VERSIONS = Object.keys(migrations({ name: 'sqlite', bytes: 'blob' }));
const NOW = new Date('2026-01-01T03:00:00.000Z');
const later = (ms: number): Date => new Date(NOW.getTime() + ms);

/** What every store must do, whatever it is made of. */
export function storeSuite(name: string, start: () => Promise<Kind>): void {
  describe(`the ${name} store`, () => {
    let kind: Kind;
    const open: Store[] = [];
    beforeAll(async () => {
      kind = await start();
    });
    afterAll(async () => {
      for (const store of open) await store.close();
      await kind.stop();
    });
    async function opened(place: string): Promise<Store> {
      const store = await kind.open(place);
      open.push(store);
      return store;
    }
    const fresh = async (): Promise<Store> => opened(await kind.place());
    /** The same database as all of its processes have it. */
    async function replicas(): Promise<readonly Store[]> {
      const place = await kind.place();
      return Promise.all(Array.from({ length: kind.replicas }, () => opened(place)));
    }

    describe('keeps', () => {
      it('bytes, big numbers, text and nothing exactly as they were given', async () => {
        const store = await fresh();
        const bytes = Buffer.from([0, 1, 127, 128, 255]);
        const body = { bytes, leaf: 'ab'.repeat(32), type: 'heartbeat', incident: null, run: 'ü 漢 🩹' };
        const seq = 2 ** 40;
        await store.transaction((tx) =>
          tx
            .insertInto('ledger')
            .values({ ...body, seq })
            .execute(),
        );
        const row = await store.db.selectFrom('ledger').selectAll().executeTakeFirstOrThrow();
        expect({ ...row, bytes: [...row.bytes] }).toEqual({ ...body, seq, bytes: [...bytes] });
        const aggregate = await store.db
          .selectFrom('ledger')
          .select((eb) => [eb.fn.max('seq').as('max'), eb.fn.countAll().as('count')])
          .executeTakeFirstOrThrow();
        expect(aggregate).toEqual({ max: seq, count: 1 });
      });

      it('a strange title without refusing the incident', async () => {
        const store = await fresh();
        const title = 'a\u0000b \ud800 <script>';
        await store.transaction((tx) => put(tx, 'title', title));
        expect((await settings(store)).title).toMatch(/^a.b .+ <script>$/su);
      });

      it('everything that was committed, across a restart', async () => {
        const place = await kind.place();
        const first = await kind.open(place);
        const ledger = await ledgerOn(first);
        await ledger.commit(async (tx, append) => {
          append(heartbeat);
          await put(tx, 'a', '1');
        });
        const head = await ledger.head();
        await first.close();
        const second = await opened(place);
        expect(await (await ledgerOn(second)).head()).toEqual(head);
        expect(await settings(second)).toEqual({ a: '1' });
      });

      it('a secret until it is destroyed, and then that it existed', async () => {
        const store = await fresh();
        const sealed = sealedStore(
          store.db,
          createSeal(new Uint8Array(32).fill(1), (n) => new Uint8Array(n)),
        );
        const ref = await store.transaction((tx) => sealed.put(tx, 'to be kept', NOW));
        expect(await store.transaction((tx) => sealed.put(tx, 'to be kept', NOW))).toBe(ref);
        expect(await sealed.open(ref)).toBe('to be kept');
        await store.transaction((tx) => sealed.destroy(tx, ref, NOW));
        expect(await sealed.open(ref)).toBe(null);
        const rows = await store.db.selectFrom('sealed').select(['destroyed_at']).execute();
        expect(rows).toEqual([{ destroyed_at: NOW.toISOString() }]);
      });
    });

    describe('refuses', () => {
      it('a second open run on the same credential, a second incident of the same number, a second alert of the same key', async () => {
        const store = await fresh();
        const ledger = await ledgerOn(store);
        const [id = ''] = await openRuns(ledger, 1, NOW);
        const run = await store.db.selectFrom('run').selectAll().where('id', '=', id).executeTakeFirstOrThrow();
        const twin = { ...run, id: 'twin' };
        await expect(store.transaction((tx) => tx.insertInto('run').values(twin).execute())).rejects.toThrow(/unique/i);
        for (const state of ['one', 'two']) // closed runs hold no lock, however many there are
          await store.transaction((tx) =>
            tx
              .insertInto('run')
              .values({ ...run, id: state, lock_key: null })
              .execute(),
          );
        const incident = {
          id: 'i1',
          number: 7,
          cause_key: 'c',
          title: 't',
          severity: 'high',
          state: 'open' as const,
          opened_at: NOW.toISOString(),
          closed_at: null,
          revision: 1,
        };
        await store.transaction((tx) => tx.insertInto('incident').values(incident).execute());
        const second = store.transaction((tx) =>
          tx
            .insertInto('incident')
            .values({ ...incident, id: 'i2' })
            .execute(),
        );
        await expect(second).rejects.toThrow(/unique/i);
        expect(await claimDelivery(store, 'click-1', NOW)).toBe(true);
        expect(await claimDelivery(store, 'click-1', NOW)).toBe(false);
      });
    });

    describe('a transaction', () => {
      it('is all or nothing', async () => {
        const store = await fresh();
        await store.transaction((tx) => put(tx, 'kept', '1'));
        const failing = store.transaction(async (tx) => {
          await put(tx, 'lost', '1');
          await writeFrozen(tx, true);
          expect(await readSwitches(tx)).toEqual({ frozen: true });
          throw new Error('changed my mind');
        });
        await expect(failing).rejects.toThrow('changed my mind');
        expect(await settings(store)).toEqual({ kept: '1' });
        expect(await readSwitches(store.db)).toEqual({ frozen: false });
      });

      it('does not stay behind when a statement in it fails', async () => {
        const store = await fresh();
        await store.transaction((tx) => put(tx, 'a', '1'));
        await expect(store.transaction((tx) => put(tx, 'a', '2'))).rejects.toThrow(/unique/i);
        await store.transaction((tx) => put(tx, 'b', '1'));
        expect(await settings(store)).toEqual({ a: '1', b: '1' });
      });
    });

    describe('the inbox', () => {
      it('gives the most severe alert first, of those what came first, and each once', async () => {
        const store = await fresh();
        const arrivals = [
          ['low', 3, 1],
          ['first', 0, 2],
          ['second', 0, 3],
          ['not yet', 0, 4],
        ] as const;
        for (const [id, severity, at] of arrivals) {
          const row = { id, source: 's', dedupe_key: id, severity, received_at: later(at).toISOString() };
          const body = Buffer.from(id);
          const not_before_ms = id === 'not yet' ? later(1).getTime() : 0;
          await store.transaction((tx) =>
            tx
              .insertInto('inbox')
              .values({ ...row, state: 'new', attempts: 0, not_before_ms, body, because: null })
              .execute(),
          );
        }
        const order: string[] = [];
        for (let item = await nextItem(store.db, NOW.getTime()); item; item = await nextItem(store.db, NOW.getTime())) {
          const { id } = item;
          order.push(id);
          const done = (): Promise<boolean> => store.transaction((tx) => settle(tx, id, { state: 'done', body: null }));
          expect(await done()).toBe(true);
          expect(await done()).toBe(false);
        }
        expect(order).toEqual(['first', 'second', 'low']);
      });
    });

    describe('the ledger on it', () => {
      it('has one order without gaps, and one checkpoint per batch, whoever commits at once', async () => {
        const stores = await replicas();
        const ledgers = await Promise.all(stores.map((store) => ledgerOn(store)));
        const commits = Array.from({ length: 60 }, (_, i) =>
          ledgers[i % ledgers.length]?.commit(async (tx, append) => {
            await put(tx, `commit-${i}`, 'x');
            return append(heartbeat).seq;
          }),
        );
        const seqs = await Promise.all(commits);
        expect(seqs.toSorted((a = 0, b = 0) => a - b)).toEqual(seqs.map((_, i) => i));
        const [store] = stores;
        if (!store) throw new Error('there is no store');
        const report = await verifyStore(store.db, VKEY);
        expect(report).toMatchObject({ ok: true, size: 60 });
        expect(report.ok && report.checkpoints).toBeLessThan(60);
        expect(Object.keys(await settings(store))).toHaveLength(60);
      });

      it('lets a change that fails fail alone, though others share its transaction', async () => {
        const store = await fresh();
        const ledger = await ledgerOn(store);
        const told: number[] = [];
        ledger.onAppend((entries) => told.push(...entries.map(({ seq }) => seq)));
        const results = await Promise.allSettled(
          Array.from({ length: 12 }, (_, i) =>
            ledger.commit(async (tx, append) => {
              await put(tx, i === 9 ? 'commit-8' : `commit-${i}`, 'x'); // the tenth meets the ninth's row
              const { seq } = append(heartbeat);
              if (i === 3) throw new Error('changed my mind');
              return seq;
            }),
          ),
        );
        const failed = results.flatMap(({ status }, i) => (status === 'rejected' ? [i] : []));
        expect(failed).toEqual([3, 9]);
        const seqs = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
        expect(seqs).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        expect(told).toEqual(seqs);
        expect(Object.keys(await settings(store))).toHaveLength(10);
        expect(await verifyStore(store.db, VKEY)).toMatchObject({ ok: true, size: 10 });
      });

      it('opens while others write', async () => {
        const [first, second = first] = await replicas();
        if (!first || !second) throw new Error('there is no store');
        const busy = await ledgerOn(first);
        let on = true;
        const writing = (async () => {
          while (on) await busy.commit(async (_tx, append) => append(heartbeat));
        })();
        for (let i = 0; i < 5; i += 1) await ledgerOn(second);
        on = false;
        await writing;
        expect(await verifyStore(first.db, VKEY)).toMatchObject({ ok: true });
      });
    });

    describe('a run', () => {
      it('is taken by one worker, however many reach for it', async () => {
        const stores = await replicas();
        const [store] = stores;
        if (!store) throw new Error('there is no store');
        const ids = await openRuns(await ledgerOn(store), 50, NOW);
        const taken: string[] = [];
        const worker = async (i: number): Promise<void> => {
          const mine = stores[i % stores.length] ?? store;
          for (let lease = await claim(mine, `w${i}`, NOW); lease; lease = await claim(mine, `w${i}`, NOW))
            taken.push(lease.run);
        };
        await Promise.all(Array.from({ length: 20 }, (_, i) => worker(i)));
        expect(taken.toSorted()).toEqual(ids.toSorted());
      });

      it('goes to another when its worker fell silent, and the first is refused from then on', async () => {
        const store = await fresh();
        const ledger = await ledgerOn(store);
        const [run = ''] = await openRuns(ledger, 1, NOW);
        const zombie = await claim(store, 'zombie', NOW);
        if (!zombie) throw new Error('there was nothing to take');
        expect(await claim(store, 'other', later(LEASE_MS - 1))).toBe(null);
        expect(await nextDue(store)).toBe(later(LEASE_MS).getTime());
        const other = await claim(store, 'other', later(LEASE_MS));
        expect(other).toMatchObject({ run, epoch: 2 });
        if (!other) throw new Error('it was not taken over');
        const write = (lease: typeof zombie, lastSeq: number): Promise<unknown> =>
          appendUnder(ledger, lease, lastSeq, async (_tx, append) => [append({ ...heartbeat, run })]);
        await expect(write(zombie, 0)).rejects.toThrow(Superseded);
        expect(await renew(store, zombie, later(LEASE_MS))).toBe(false);
        await release(store, zombie, null);
        expect(await nextDue(store)).toBe(later(2 * LEASE_MS).getTime());
        await write(other, 0);
        await expect(write(other, 0)).rejects.toThrow('has news at entry 1');
        expect(await renew(store, other, later(LEASE_MS + 1))).toBe(true);
        expect((await ledger.journal(run)).map(({ seq }) => seq)).toEqual([0, 1]);
      });

      it('is looked at again at once when it was woken while someone worked on it', async () => {
        const store = await fresh();
        const [run = ''] = await openRuns(await ledgerOn(store), 1, NOW);
        const lease = await claim(store, 'w', NOW);
        if (!lease) throw new Error('there was nothing to take');
        await store.transaction((tx) => wake(tx, run, NOW));
        await release(store, lease, null);
        expect(await nextDue(store)).toBe(NOW.getTime());
        const again = await claim(store, 'w', NOW);
        if (!again) throw new Error('there was nothing to take');
        await release(store, again, null);
        expect(await nextDue(store)).toBe(null);
      });
    });

    describe('what only one process may do', () => {
      it('is done by one, by another when that one fell silent, and at once when it resigned', async () => {
        const stores = await replicas();
        const clock = new VirtualClock(NOW);
        const [a, b] = ['a', 'b'].map((owner, i) => {
          const store = stores[i % stores.length];
          if (!store) throw new Error('there is no store');
          return onlyOne(store, 'chat', owner, clock);
        });
        if (!a || !b) throw new Error('there is nobody');
        const speak = async (): Promise<string> => 'spoken';
        expect(await a.lead(speak)).toEqual({ did: 'spoken' });
        expect(await b.lead(speak)).toBe(null);
        expect(await a.lead(speak)).toEqual({ did: 'spoken' });
        clock.advance(LEADER_MS);
        expect(await b.lead(speak)).toEqual({ did: 'spoken' });
        expect(await a.lead(speak)).toBe(null);
        await a.resign();
        expect(await a.lead(speak)).toBe(null);
        await b.resign();
        expect(await a.lead(speak)).toEqual({ did: 'spoken' });
      });

      it('has one leader, however many reach for it at once', async () => {
        const stores = await replicas();
        const clock = new VirtualClock(NOW);
        const led = await Promise.all(
          Array.from({ length: 10 }, async (_, i) => {
            const store = stores[i % stores.length];
            return store && (await onlyOne(store, 'chat', randomUUID(), clock).lead(async () => i));
          }),
        );
        expect(led.filter((each) => each !== null)).toHaveLength(1);
      });
    });

    describe('the schema', () => {
      it.each(VERSIONS)('is brought forward from %s, with what stands in it', async (version) => {
        const place = await kind.empty();
        await kind.older(place, version);
        const store = await opened(place);
        await store.transaction((tx) => put(tx, 'a', '1'));
        await store.close();
        const again = await opened(place);
        expect(await settings(again)).toEqual({ a: '1' });
        const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(again.db);
        expect(rows.map(({ name }) => name)).toEqual(VERSIONS);
      });

      it('of a newer version is refused, and not touched', async () => {
        const place = await kind.place();
        const store = await kind.open(place);
        await sql`insert into kysely_migration (name, timestamp) values ('9999-later', '2030')`.execute(store.db);
        await store.close();
        await expect(kind.open(place)).rejects.toThrow(/made by a newer version of Tourniquet \(it has 9999-later\)/);
      });
    });
  });
}
