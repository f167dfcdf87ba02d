import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from '../../src/api/api.ts';
import { decide } from '../../src/decisions/approve.ts';
import { planShaOf, runOf, tellContained, tellGuided, tellStory, tellStuck } from '../console/world.ts';
import { openWorld, type Sent, type World } from './world.ts';

/** Who may do what. Columns: no token, an expired one, nobody's role, auditor, responder, approver, lead, a lead's token for an auditor. */
const WHO = ['none', 'expired', 'nia', 'aud', 'rita', 'app', 'ana', 'ana as auditor'] as const;
const LOOK = [401, 401, 403, 200, 200, 200, 200, 200];
const DECIDE = [401, 401, 403, 403, 403, 200, 200, 403];
const RESPOND = [401, 401, 403, 403, 200, 403, 200, 403];

/** Brings an incident to where the route has something to decide, and says how it is asked. */
type Stage = (world: World, number: number) => Promise<{ readonly path: string; readonly sent?: Sent }>;

const look =
  (path: string): Stage =>
  async () => ({ path });
const onRun =
  (verb: string, sent: Sent, prepare: (world: World, number: number) => Promise<unknown>): Stage =>
  async (world, number) => {
    await tellStory(world.inner, { number });
    await prepare(world, number);
    return { path: `/incidents/INC-${number}/runs/${runOf(number)}/${verb}`, sent };
  };
const verdict =
  (verb: string): Stage =>
  (world, number) =>
    onRun(verb, { headers: { 'if-match': `"${planShaOf({ number })}"` }, body: {} }, async () => {})(world, number);
const approved = (world: World, number: number) =>
  decide(world.desk, { run: runOf(number), planSha256: planShaOf({ number }), verdict: 'approve', authn: 'cli:ana' });
const frozen =
  (value: boolean): Stage =>
  async (world) => {
    await world.inner.store.transaction((tx) =>
      tx
        .insertInto('setting')
        .values({ key: 'frozen', value: value ? 'no' : 'yes' })
        .onConflict((conflict) => conflict.column('key').doUpdateSet({ value: value ? 'no' : 'yes' }))
        .execute(),
    );
    return { path: '/freeze', sent: { body: { frozen: value, why: 'a test' } } };
  };

const TABLE: readonly (readonly [string, string, Stage, readonly number[]])[] = [
  ['listIncidents', 'GET', look('/incidents'), LOOK],
  ['getIncident', 'GET', look('/incidents/INC-1'), LOOK],
  ['listEntries', 'GET', look('/incidents/INC-1/entries'), LOOK],
  ['getFreeze', 'GET', look('/freeze'), LOOK],
  ['getLedgerHead', 'GET', look('/ledger/head'), LOOK],
  ['listPeople', 'GET', look('/people'), LOOK],
  ['getMetrics', 'GET', look('/metrics'), LOOK],
  ['approveRun', 'POST', verdict('approve'), DECIDE],
  ['denyRun', 'POST', verdict('deny'), DECIDE],
  [
    'undoRun',
    'POST',
    onRun('undo', { body: { why: 'it broke' } }, async (world, number) => {
      await approved(world, number);
      await tellContained(world.inner, number);
    }),
    RESPOND,
  ],
  [
    'retryRun',
    'POST',
    onRun('retry', {}, async (world, number) => {
      await approved(world, number);
      await tellStuck(world.inner, number);
    }),
    RESPOND,
  ],
  [
    'answerRun',
    'POST',
    onRun('answer', { body: { step: 'rotate/ci', answer: 'done' } }, async (world, number) => {
      await approved(world, number);
      await tellContained(world.inner, number);
      await tellGuided(world.inner, number);
    }),
    RESPOND,
  ],
  [
    'requestRevocation',
    'POST',
    async () => ({
      path: '/revocations',
      sent: { body: { credential: ['AKIA', 'IOSFODNN7EXAMPLE'].join(''), why: 'seen in a chat' } },
    }),
    [401, 401, 403, 403, 202, 202, 202, 403],
  ],
  ['setFreeze', 'PUT', frozen(true), [401, 401, 403, 403, 200, 200, 200, 403]],
  ['setFreeze', 'PUT', frozen(false), [401, 401, 403, 403, 403, 403, 200, 403]],
];

let world: World;
let tokens: Record<(typeof WHO)[number], string | undefined>;
let number = 1;
beforeAll(async () => {
  world = await openWorld();
  await tellStory(world.inner, { number });
  tokens = {
    none: undefined,
    expired: await world.tokenOf('ana', { validForMs: 0 }),
    nia: await world.tokenOf('nia'),
    aud: await world.tokenOf('aud'),
    rita: await world.tokenOf('rita'),
    app: await world.tokenOf('app'),
    ana: await world.tokenOf('ana', { validForMs: 86_400_000 }),
    'ana as auditor': await world.tokenOf('ana', { roles: ['auditor'] }),
  };
});
afterAll(() => world.inner.store.close());

describe('every route, for everybody', () => {
  const cells = TABLE.flatMap(([id, method, stage, row]) =>
    WHO.map((who, index) => ({ id, method, stage, who, expected: row[index] })),
  );
  it.each(cells)('$id for $who is $expected', async ({ method, stage, who, expected }) => {
    number += 1;
    const { path, sent = {} } = await stage(world, number);
    const token = tokens[who];
    const before = (await world.desk.ledger.head()).size;
    const got = await world.call(method, path, { ...sent, ...(token === undefined ? {} : { token }) });
    expect(got.status, JSON.stringify(got.json)).toBe(expected);
    const wrote = (await world.desk.ledger.head()).size > before;
    expect(wrote).toBe(method !== 'GET' && got.status < 300);
    expect(world.troubles).toEqual([]);
  });

  it('stands in this table', () => {
    expect([...new Set(TABLE.map(([id]) => id))].sort()).toEqual(ROUTES.map(({ id }) => id).sort());
  });
});
