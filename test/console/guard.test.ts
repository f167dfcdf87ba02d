import { request } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { localSession } from '../../src/console/session.ts';
import { Visitor } from './http.ts';
import { openWorld, planShaOf, runOf, type Served, serveConsole, tellStory, type World } from './world.ts';

let world: World;
let served: Served;
beforeEach(async () => {
  world = await openWorld();
  await tellStory(world, { number: 1 });
  served = await serveConsole(world, { publicUrl: new URL('https://tourniquet.example.org') });
});
afterEach(async () => {
  await served.close();
  await world.store.close();
});

/** With the Host header that fetch would not let us write. */
const askedAs = (host: string, path = '/'): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const asking = request(served.url + path, { headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asking.on('error', reject);
    asking.end();
  });

const approvals = async (): Promise<number> =>
  (await world.ledger.ofIncident('incident-1')).filter(({ type }) => type === 'approval').length;

describe('every answer', () => {
  it('forbids scripts, styles and frames from anywhere else, is not kept, and tells no one where it was', async () => {
    const visitor = new Visitor(served.url);
    for (const path of ['/', '/incidents/INC-1', '/incidents/INC-404', '/ledger', '/assets/console.js']) {
      const { headers } = await visitor.get(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy, path).toContain("default-src 'none'");
      expect(policy, path).toContain("frame-ancestors 'none'");
      expect(policy, path).not.toContain('unsafe');
      expect(headers.get('x-content-type-options'), path).toBe('nosniff');
      expect(headers.get('referrer-policy'), path).toBe('no-referrer');
      expect(headers.get('cache-control'), path).toBe('no-store');
    }
  });

  it('gives its cookie to no script and to no other site', async () => {
    const given = (await new Visitor(served.url).get('/')).headers.get('set-cookie') ?? '';
    expect(given).toMatch(/^tourniquet-sandbox=/);
    expect(given).toContain('HttpOnly');
    expect(given).toContain('SameSite=Strict');
    expect(given).toContain('Secure'); // the public address is https
  });

  it('holds no inline script, style or handler that the policy would have to allow', async () => {
    for (const path of ['/', '/incidents/INC-1', '/ledger']) {
      const page = await (await new Visitor(served.url).get(path)).text();
      expect(page).not.toMatch(/<style|\sstyle=|\son[a-z]+=|<script(?![^>]+src="\/assets\/)/i);
    }
  });
});

describe('a request that is not addressed to us', () => {
  it.each(['evil.example', 'localhost.evil.example', '127.0.0.1.nip.io', '10.0.0.7'])(
    'is refused when it names %j, as a name pointed at this machine would',
    async (host) => {
      expect(await askedAs(host)).toBe(421);
      expect(await askedAs(host, '/incidents/INC-1/live')).toBe(421);
    },
  );
  it.each(['localhost:4000', '127.0.0.1', '[::1]:80', 'LOCALHOST', 'tourniquet.example.org'])(
    'is answered when it names %j',
    async (host) => expect(await askedAs(host)).toBe(200),
  );
  it('leaves the other routes of the server alone', async () => {
    expect(await askedAs('10.0.0.7', '/healthz')).toBe(200);
  });
});

describe('a form', () => {
  const fields = async (visitor: Visitor) => ({
    token: await visitor.token('/incidents/INC-1'),
    act: 'approve',
    run: runOf(1),
    plan: planShaOf({ number: 1 }),
    text: '',
  });

  it('counts when the console’s own page sent it', async () => {
    const visitor = new Visitor(served.url);
    expect((await visitor.post('/incidents/INC-1', await fields(visitor))).status).toBe(303);
    expect(await approvals()).toBe(1);
  });
  it.each([
    ['another site, as the browser says', { 'sec-fetch-site': 'cross-site' }],
    ['another port of this machine, as the browser says', { 'sec-fetch-site': 'same-site' }],
    ['no page at all', { 'sec-fetch-site': 'none' }],
  ])('does nothing when it comes from %s', async (_from, headers) => {
    const visitor = new Visitor(served.url);
    expect((await visitor.post('/incidents/INC-1', await fields(visitor), headers)).status).toBe(403);
    expect(await approvals()).toBe(0);
  });
  it.each([
    ['this console', (url: string) => url, 303],
    ['another origin', () => 'http://127.0.0.1:1', 403],
    ['an origin that it hides', () => 'null', 403],
  ])('is judged by its Origin where a browser knows no Sec-Fetch-Site: %s', async (_what, origin, status) => {
    const visitor = new Visitor(served.url);
    const sent = await fields(visitor);
    const response = await fetch(`${served.url}/incidents/INC-1`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: visitor.cookie, origin: origin(served.url) },
      body: new URLSearchParams(sent),
    });
    expect(response.status).toBe(status);
  });
  it('does nothing without the token of its own session', async () => {
    const [visitor, stranger] = [new Visitor(served.url), new Visitor(served.url)];
    const sent = await fields(visitor);
    const token = await stranger.token('/incidents/INC-1');
    for (const wrong of [
      { ...sent, token },
      { ...sent, token: '' },
      { ...sent, token: 'é' },
    ]) {
      expect((await visitor.post('/incidents/INC-1', wrong)).status).toBe(403);
    }
    expect(await approvals()).toBe(0);
  });
  it('is refused when it is larger than any of ours', async () => {
    const visitor = new Visitor(served.url);
    const sent = { ...(await fields(visitor)), text: 'x'.repeat(40_000) };
    expect((await visitor.post('/incidents/INC-1', sent)).status).toBe(413);
    expect((await visitor.post('/incidents/INC-1', { ...sent, text: 'x'.repeat(2_001) })).status).toBe(400);
  });
});

describe('the sandbox', () => {
  it('lets nobody in from another machine', async () => {
    const remote = await serveConsole(world, { session: localSession(() => false) });
    const response = await new Visitor(remote.url).get('/incidents/INC-1');
    expect(response.status).toBe(401);
    expect(await response.text()).toContain('only be opened from the machine');
    await remote.close();
  });
});
