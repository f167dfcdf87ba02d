import { OpenAPIBackend } from 'openapi-backend';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ROUTES } from '../../src/api/api.ts';
import { openApiOf } from '../../src/api/openapi.ts';
import { findToken, listTokens, revokeToken } from '../../src/api/tokens.ts';
import { readEntries } from '../../src/custody/read.ts';
import { entryOf } from '../../src/custody/row.ts';
import { spreadOf } from '../../src/report/spread.ts';
import { planShaOf, runOf, tellNewPlan, tellStory } from '../console/world.ts';
import { openWorld, type World } from './world.ts';

let world: World;
beforeEach(async () => {
  world = await openWorld();
});
afterEach(async () => {
  expect(world.troubles).toEqual([]);
  await world.inner.store.close();
});

const allEntries = async () => {
  const rows = await world.desk.store.db.selectFrom('ledger').selectAll().orderBy('seq').execute();
  return rows.map(entryOf);
};
const approvePath = (number: number) => `/incidents/INC-${number}/runs/${runOf(number)}/approve`;

describe('a token', () => {
  it('is kept as its hash alone, and going in and out goes on record', async () => {
    const token = await world.tokenOf('ana');
    const [grant] = await listTokens(world.desk.store.db);
    expect(grant).toMatchObject({ person: 'ana', roles: null, createdBy: 'admin' });
    const rows = await world.desk.store.db.selectFrom('setting').selectAll().execute();
    expect(JSON.stringify(rows)).not.toContain(token.slice(4));
    const by = { kind: 'person', id: 'lea', authn: 'cli:lea' } as const;
    expect(await revokeToken(world.desk, grant?.id ?? '', by)).toBe(true);
    expect(await revokeToken(world.desk, grant?.id ?? '', by)).toBe(false);
    expect(await findToken(world.desk.store.db, token)).toBeNull();
    expect(await world.call('GET', '/people', { token })).toMatchObject({ status: 401 });
    const said = (await allEntries()).flatMap((entry) => (entry.type === 'access' ? [entry.purpose] : []));
    expect(said).toEqual([
      expect.stringMatching(/^the token [0-9a-f]{12} was issued for ana, until 2026-03-01T10:00:00/),
      expect.stringMatching(/^the token [0-9a-f]{12} was revoked$/),
    ]);
    expect(JSON.stringify(await allEntries())).not.toContain(token.slice(4));
  });

  it('expires to the moment', async () => {
    const token = await world.tokenOf('ana', { validForMs: 60_000 });
    world.inner.clock.advance(59_999);
    expect((await world.call('GET', '/people', { token })).status).toBe(200);
    world.inner.clock.advance(1);
    const got = await world.call('GET', '/people', { token });
    expect(got.status).toBe(401);
    expect(got.headers.get('www-authenticate')).toMatch(/^Bearer/);
    expect(got.json.detail).toMatch(/expired/);
  });

  it.each(['Bearer', 'Bearer x', 'Basic YTpi', `Bearer ${'a'.repeat(300)}`, "Bearer ' or 1=1"])(
    'is what Authorization must hold: %s is none',
    async (authorization) => {
      expect((await world.call('GET', '/people', { headers: { authorization } })).status).toBe(401);
    },
  );

  it('may be used so often and no more, each on its own', async () => {
    const slow = await openWorld({ burst: 3, perSecond: 1 });
    const [ana, rita] = [await slow.tokenOf('ana'), await slow.tokenOf('rita')];
    const statuses = async (token: string, times: number) => {
      const all = [];
      for (let i = 0; i < times; i += 1) all.push((await slow.call('GET', '/people', { token })).status);
      return all;
    };
    expect(await statuses(ana, 4)).toEqual([200, 200, 200, 429]);
    expect((await slow.call('GET', '/people', { token: ana })).headers.get('retry-after')).toBe('1');
    expect(await statuses(rita, 1)).toEqual([200]);
    slow.inner.clock.advance(2_000);
    expect(await statuses(ana, 3)).toEqual([200, 200, 429]);
    await slow.inner.store.close();
  });
});

describe('a decision', () => {
  it('is attributed to the token and its person, on exactly the plan that was named', async () => {
    await tellStory(world.inner, { number: 1 });
    const token = await world.tokenOf('app');
    const incident = await world.call('GET', '/incidents/INC-1', { token });
    const [run] = z.array(z.looseObject({ id: z.string(), planSha256: z.string() })).parse(incident.json.runs);
    const path = `/incidents/INC-1/runs/${run?.id}/approve`;
    const headers = { 'if-match': `"${run?.planSha256}"` };
    const got = await world.call('POST', path, { token, headers, body: { why: 'looks right' } });
    expect(got).toMatchObject({ status: 200, json: { said: expect.stringContaining('Approved') } });
    const [grant] = await listTokens(world.desk.store.db);
    const [approval] = (await readEntries(world.desk.store.db, 'run', runOf(1))).filter(
      ({ type }) => type === 'approval',
    );
    expect(approval).toMatchObject({
      actor: { kind: 'person', id: 'app', authn: `api:${grant?.id}` },
      planSha256: planShaOf({ number: 1 }),
      why: 'looks right',
    });
    const again = await world.call('POST', path, { token, headers });
    expect(again).toMatchObject({ status: 409 });
  });

  it('without the plan is 428, on a plan that has changed 412, and neither is written', async () => {
    await tellStory(world.inner, { number: 1 });
    const token = await world.tokenOf('app');
    expect((await world.call('POST', approvePath(1), { token })).status).toBe(428);
    const headers = { 'if-match': `"${planShaOf({ number: 1 })}"` };
    await tellNewPlan(world.inner, { number: 1, approval: { people: 2, roles: ['lead'], because: 'it changed' } });
    const got = await world.call('POST', approvePath(1), { token, headers });
    expect(got).toMatchObject({ status: 412, json: { code: 'stale-plan', type: 'urn:tourniquet:problem:stale-plan' } });
    expect((await world.call('POST', approvePath(1), { token, headers: { 'if-match': '*' } })).status).toBe(428);
    expect((await allEntries()).filter(({ type }) => type === 'approval')).toEqual([]);
  });

  it('is not for whoever asked for it, by whatever way they come in', async () => {
    const approval = { people: 1, roles: ['lead', 'approver'], because: 'asked' };
    await tellStory(world.inner, { number: 1, requestedBy: 'app', approval });
    const token = await world.tokenOf('app');
    const headers = { 'if-match': `"${planShaOf({ number: 1, approval })}"` };
    expect(await world.call('POST', approvePath(1), { token, headers })).toMatchObject({
      status: 403,
      json: { code: 'own-request' },
    });
  });

  it('is about a run of the incident that is named, and of no other', async () => {
    await tellStory(world.inner, { number: 1 });
    await tellStory(world.inner, { number: 2 });
    const token = await world.tokenOf('ana');
    const got = await world.call('POST', `/incidents/INC-2/runs/${runOf(1)}/undo`, { token, body: { why: 'x' } });
    expect(got.status).toBe(404);
  });

  it('to freeze may be sent again, and says how it stands', async () => {
    const token = await world.tokenOf('ana');
    const body = { frozen: true, why: 'an odd deploy' };
    expect((await world.call('PUT', '/freeze', { token, body })).json).toEqual({ frozen: true });
    expect((await world.call('PUT', '/freeze', { token, body })).json).toEqual({ frozen: true });
    expect((await world.call('GET', '/freeze', { token })).json).toEqual({ frozen: true });
    expect((await allEntries()).filter((entry) => entry.type === 'decision')).toHaveLength(1);
  });

  it('to revoke goes where alerts go, and never repeats the secret', async () => {
    const token = await world.tokenOf('rita');
    const secret = ['ghp', '_', 'x'.repeat(36)].join('');
    const got = await world.call('POST', '/revocations', { token, body: { credential: `what is ${secret}`, why: '' } });
    expect(JSON.stringify(got.json)).not.toContain(secret);
    const credential = ['AKIA', 'IOSFODNN7EXAMPLE'].join('');
    expect((await world.call('POST', '/revocations', { token, body: { credential } })).status).toBe(202);
    expect(world.arrivals.length).toBeGreaterThan(0);
    const last = (await allEntries()).at(-1);
    expect(last).toMatchObject({ type: 'alert.received', source: 'person', actor: { id: 'rita', kind: 'person' } });
  });
});

describe('a list', () => {
  it('goes on where it ended, though something new came meanwhile', async () => {
    for (const number of [1, 2, 3, 4, 5]) await tellStory(world.inner, { number });
    const token = await world.tokenOf('aud');
    const seen: unknown[] = [];
    let path = '/incidents?limit=2';
    for (let turn = 0; turn < 10; turn += 1) {
      const { json } = await world.call('GET', path, { token });
      seen.push(...(json.items ?? []).map(({ ref }) => ref));
      if (turn === 0) await tellStory(world.inner, { number: 6 });
      if (json.next === null) break;
      path = `/incidents?limit=2&cursor=${json.next}`;
    }
    expect(seen).toEqual(['INC-5', 'INC-4', 'INC-3', 'INC-2', 'INC-1']);
  });

  it('of entries is that of the log', async () => {
    await tellStory(world.inner, { number: 1 });
    const token = await world.tokenOf('aud');
    const first = await world.call('GET', '/incidents/1/entries?limit=3', { token });
    const rest = await world.call('GET', `/incidents/1/entries?cursor=${first.json.next}`, { token });
    const all = [...(first.json.items ?? []), ...(rest.json.items ?? [])];
    expect(all).toEqual(JSON.parse(JSON.stringify(await readEntries(world.desk.store.db, 'incident', 'incident-1'))));
    expect(rest.json.next).toBeNull();
  });

  it.each([
    'limit=0',
    'limit=201',
    'limit=1e2',
    'limit=',
    'cursor=x',
    'cursor=after-1e3',
    'cursor=after-01',
    'state=odd',
    'page=2',
  ])('refuses ?%s', async (query) => {
    const token = await world.tokenOf('aud');
    const got = await world.call('GET', `/incidents?${query}`, { token });
    expect(got.status).toBe(400);
    expect(got.json.errors).toHaveLength(1);
  });
});

describe('an entity tag', () => {
  it('spares whoever has it already, until something changes', async () => {
    await tellStory(world.inner, { number: 1 });
    const token = await world.tokenOf('ana');
    const first = await world.call('GET', '/incidents/INC-1', { token });
    const etag = first.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    for (const header of [etag, `W/${etag}`, `"other", ${etag}`, '*'])
      expect(
        (await world.call('GET', '/incidents/INC-1', { token, headers: { 'if-none-match': header } })).status,
      ).toBe(304);
    const headers = { 'if-match': `"${planShaOf({ number: 1 })}"` };
    await world.call('POST', approvePath(1), { token, headers });
    const after = await world.call('GET', '/incidents/INC-1', { token, headers: { 'if-none-match': etag } });
    expect(after.status).toBe(200);
    expect(after.headers.get('etag')).not.toBe(etag);
  });
});

describe('what is not there', () => {
  it.each([
    ['GET', '/nothing', 404],
    ['GET', '/', 404],
    ['DELETE', '/incidents', 405],
    ['PATCH', '/freeze', 405],
    ['GET', '/revocations', 405],
  ])('%s %s is %i, as a problem', async (method, path, expected) => {
    const got = await world.call(method, path);
    expect(got.status).toBe(expected);
    if (expected === 405) expect(got.headers.get('allow')).toBeTruthy();
  });

  it('is said of an incident only to whoever may look', async () => {
    expect((await world.call('GET', '/incidents/INC-99')).status).toBe(401);
    expect((await world.call('GET', '/incidents/INC-99', { token: await world.tokenOf('aud') })).status).toBe(404);
    expect((await world.call('GET', '/incidents/%00', { token: await world.tokenOf('aud') })).status).toBe(404);
  });
});

describe('the document', () => {
  const document = openApiOf(ROUTES, '0.1.0');

  it('is OpenAPI 3.1, needs no token, and names every route', async () => {
    const got = await world.call('GET', '/openapi.json');
    expect(got.json).toEqual(JSON.parse(JSON.stringify(document)));
    const operations = Object.values(
      z.record(z.string(), z.record(z.string(), z.looseObject({ operationId: z.string() }))).parse(got.json.paths),
    )
      .flatMap((path) => Object.values(path))
      .map(({ operationId }) => operationId);
    expect(operations.sort()).toEqual(ROUTES.map(({ id }) => id).sort());
  });

  it('describes what is really answered, as a program that reads it alone sees it', async () => {
    const backend = new OpenAPIBackend({
      definition: JSON.parse(JSON.stringify(document)),
      quick: true,
      ajvOpts: { formats: { 'date-time': /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/ } },
    });
    await backend.init();
    await tellStory(world.inner, { number: 1 });
    const token = await world.tokenOf('aud');
    const looks = ROUTES.filter(({ method }) => method === 'get');
    for (const { id, path } of looks) {
      const { json } = await world.call('GET', path.replace('{ref}', 'INC-1'), { token });
      expect(backend.validator?.validateResponse(json, id, 200).errors, id).toBeNull();
      expect(backend.validator?.validateResponse({ ...json, odd: 1 }, id, 200).errors, id).not.toBeNull();
    }
    const { json } = await world.call('GET', '/incidents/INC-9', { token });
    expect(backend.validator?.validateResponse(json, 'getIncident', 404).errors).toBeNull();
    expect(looks.length).toBeGreaterThan(5);
  });

  it('shows numbers as numbers, and refers to nothing that it does not hold', () => {
    const text = JSON.stringify(document);
    expect(text).toContain('{"type":"integer","minimum":1,"maximum":200,"default":50}');
    expect(text).not.toContain('shownAs');
    const components = JSON.stringify(document.components);
    for (const [, name] of text.matchAll(/"\$ref":"#\/components\/\w+\/(\w+)"/g))
      expect(components).toContain(`"${name}":`);
    expect(text).not.toContain('"$ref":"#/$defs');
  });
});

describe('the metrics', () => {
  it('are percentiles of what was measured, by nearest rank', () => {
    expect(spreadOf([])).toBeNull();
    expect(spreadOf([undefined, 7])).toEqual({ count: 1, p50Ms: 7, p90Ms: 7, p99Ms: 7, maxMs: 7 });
    const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(spreadOf(hundred)).toEqual({ count: 100, p50Ms: 50, p90Ms: 90, p99Ms: 99, maxMs: 100 });
  });

  it('look at as many incidents as they are asked to', async () => {
    for (const number of [1, 2, 3]) await tellStory(world.inner, { number });
    const token = await world.tokenOf('aud');
    expect((await world.call('GET', '/metrics?last=2', { token })).json).toMatchObject({ incidents: 2, mttc: null });
  });
});
