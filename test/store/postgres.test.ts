import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock, VirtualClock } from '../../src/core/clock.ts';
import { Failure } from '../../src/core/failure.ts';
import { refuseSkew } from '../../src/store/clock-skew.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import type { Store } from '../../src/store/store.ts';
import { type Postgres, startPostgres } from '../postgres.ts';
import { postgresKind } from './kinds.ts';
import { heartbeat, ledgerOn, put, settings } from './replica.ts';
import { storeSuite } from './store.suite.ts';

storeSuite('PostgreSQL', postgresKind);

describe('PostgreSQL', () => {
  let server: Postgres;
  beforeAll(async () => {
    server = await startPostgres();
  });
  afterAll(() => server.stop());

  /** Two replicas on one database. */
  async function two(): Promise<{ readonly url: string; readonly a: Store; readonly b: Store }> {
    const url = await server.fresh();
    const [a, b] = await Promise.all([openPostgres(url), openPostgres(url)]);
    return { url, a, b };
  }
  const close = (...stores: readonly Store[]): Promise<unknown> => Promise.all(stores.map((store) => store.close()));

  it('is migrated once by replicas that start at the same moment', async () => {
    const url = await server.fresh();
    const stores = await Promise.all(Array.from({ length: 4 }, () => openPostgres(url)));
    const ledgers = await Promise.all(stores.map((store) => ledgerOn(store)));
    await Promise.all(ledgers.map((ledger) => ledger.commit(async (_tx, append) => append(heartbeat))));
    expect(await ledgers[0]?.head()).toMatchObject({ size: 4 });
    await close(...stores);
  });

  it('tells the other replica of a commit, of no rollback, and nobody of their own', async () => {
    const { a, b } = await two();
    const heard: string[] = [];
    a.onNotice((notice) => heard.push(`a: ${notice}`));
    b.onNotice((notice) => heard.push(`b: ${notice}`));
    const failing = a.transaction(async (tx) => {
      await a.notify(tx, 'work');
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    const ledger = await ledgerOn(a);
    await ledger.commit(async (_tx, append) => append(heartbeat));
    const person = { kind: 'person', id: 'ana', authn: 'cli:ana' } as const;
    await ledger.commit(async (_tx, append) => append({ ...heartbeat, actor: person }));
    await vi.waitFor(() => expect(heard).toEqual(['b: news', 'b: work']), { interval: 5 });
    await close(a, b);
  });

  it('runs a transaction again that stood in the way of another', async () => {
    const { a, b } = await two();
    await a.transaction(async (tx) => {
      await put(tx, 'x', '');
      await put(tx, 'y', '');
    });
    const add = (store: Store, first: string, second: string): Promise<void> =>
      store.transaction(async (tx) => {
        for (const key of [first, second]) {
          await sql`update setting set value = value || ${first} where key = ${key}`.execute(tx);
          await sql`select pg_sleep(0.05)`.execute(tx);
        }
      });
    await Promise.all([add(a, 'x', 'y'), add(b, 'y', 'x')]);
    expect(Object.values(await settings(a)).map((value) => [...value].toSorted().join(''))).toEqual(['xy', 'xy']);
    await close(a, b);
  });

  it('is not held up by a process that was stopped in the middle of a transaction', async () => {
    const { url, a, b } = await two();
    await ledgerOn(a);
    const stopped = new Client({ connectionString: url, idle_in_transaction_session_timeout: 300 });
    const ended = new Promise<Error>((resolve) => stopped.on('error', resolve));
    await stopped.connect();
    await stopped.query('begin');
    await stopped.query('select * from ledger_head for update');
    const ledger = await ledgerOn(b);
    await ledger.commit(async (_tx, append) => append(heartbeat));
    expect(await ended).toBeInstanceOf(Error);
    await close(a, b);
  });

  it('gives every session of ours that limit, and durable commits', async () => {
    const { a, b } = await two();
    const show = async (name: string): Promise<unknown> =>
      (await sql<Record<string, unknown>>`select current_setting(${name}) as value`.execute(a.db)).rows[0]?.value;
    expect(await show('idle_in_transaction_session_timeout')).toBe('3s');
    expect(await show('synchronous_commit')).toBe('on');
    await close(a, b);
  });

  it('says in words that it is away, and goes on by itself when it is back', async () => {
    const { a, b } = await two();
    const ledger = await ledgerOn(a);
    const commit = (): Promise<unknown> => ledger.commit(async (_tx, append) => append(heartbeat));
    await commit();
    const heard: string[] = [];
    b.onNotice((notice) => heard.push(notice));
    await server.crash();
    const failure: unknown = await commit().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Failure);
    expect(failure).toMatchObject({ code: 'unavailable', message: expect.stringContaining('cannot be reached') });
    const reading: unknown = await a.db
      .selectFrom('run')
      .selectAll()
      .execute()
      .catch((error: unknown) => error);
    expect(reading).toMatchObject({ code: 'unavailable' });
    await server.start();
    await vi.waitFor(() => expect(heard).toContain('work'), { timeout: 5_000 }); // something may have been missed
    await vi.waitFor(commit, { timeout: 5_000 });
    expect((await ledger.head()).size).toBeGreaterThanOrEqual(2);
    await close(a, b);
  });

  it('refuses a machine whose clock is not the database’s', async () => {
    const { a, b } = await two();
    await refuseSkew(a, systemClock);
    const fast = new VirtualClock(new Date(Date.now() + 3_600_000));
    await expect(refuseSkew(a, fast)).rejects.toThrow('s apart, and leases on runs need them together');
    const slow = new VirtualClock(new Date(Date.now() - 3_600_000));
    await expect(refuseSkew(a, slow)).rejects.toThrow('Keep both in step (NTP)');
    await close(a, b);
  });

  it.each([
    ['a server that is not there', (url: URL) => (url.port = '1'), 'cannot be reached'],
    ['a database that is not there', (url: URL) => (url.pathname = '/nowhere'), 'Check DATABASE_URL'],
  ])('refuses %s at once, in words and without the password', async (_what, spoil, words) => {
    const url = new URL(await server.fresh());
    url.password = randomUUID();
    spoil(url);
    const refusal: unknown = await openPostgres(url.href).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(Failure);
    expect(String(refusal)).toContain(words);
    expect(String(refusal)).not.toContain(url.password);
  });
});
