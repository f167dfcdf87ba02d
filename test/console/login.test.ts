import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { issueLink, LINK_VALID_FOR, linkSession, randomToken, SESSION_VALID_FOR } from '../../src/console/link.ts';
import { BOT } from '../custody/fixture.ts';
import { Visitor } from './http.ts';
import { ANA, CAT, openWorld, type Served, serveConsole, tellStory, type World } from './world.ts';

let world: World;
let served: Served;
const parts = () => ({ ...world, newToken: randomToken });
const serveAgain = () => serveConsole(world, { session: linkSession(parts(), world.roster) });
beforeEach(async () => {
  world = await openWorld('live');
  served = await serveAgain();
});
afterEach(async () => {
  await served.close();
  await world.store.close();
});
const linkFor = async (person = ANA): Promise<string> => `/login?token=${await issueLink(parts(), person, BOT)}`;
const signedIn = async (): Promise<Visitor> => {
  const visitor = new Visitor(served.url);
  await visitor.get(await linkFor());
  return visitor;
};

describe('a stranger', () => {
  it('is told how to come in, on every page', async () => {
    await tellStory(world, { number: 1 });
    for (const path of ['/', '/ledger', '/incidents/INC-1', '/incidents/INC-1/live', '/live']) {
      const response = await new Visitor(served.url).get(path);
      expect(response.status, path).toBe(401);
      expect(await response.text(), path).toContain('npx tourniquet console-link');
    }
  });
  it('cannot decide', async () => {
    expect((await new Visitor(served.url).post('/freeze', { act: 'freeze', text: 'x' })).status).toBe(401);
  });
  it('does not come in with a cookie that we did not give', async () => {
    const visitor = new Visitor(served.url);
    visitor.cookie = `tourniquet-live=${randomToken()}`;
    expect((await visitor.get('/')).status).toBe(401);
  });
});

describe('a link', () => {
  it('signs in the person it was made for, and the log says so', async () => {
    const visitor = new Visitor(served.url);
    const response = await visitor.get(await linkFor());
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/');
    expect(await (await visitor.get('/')).text()).toContain('Ana Ruiz');
    const rows = await world.store.db.selectFrom('ledger').select(['type', 'bytes']).orderBy('seq').execute();
    expect(rows.map(({ type }) => type)).toEqual(['access', 'access']);
    expect(rows[1]?.bytes.toString()).toContain('"authn":"console:ana"');
  });
  it('works once', async () => {
    const link = await linkFor();
    await new Visitor(served.url).get(link);
    const second = await new Visitor(served.url).get(link);
    expect(second.status).toBe(401);
    expect(second.headers.get('set-cookie')).toBeNull();
  });
  it('works once when it is opened many times at once', async () => {
    const link = await linkFor();
    const answers = await Promise.all(Array.from({ length: 8 }, () => new Visitor(served.url).get(link)));
    expect(answers.filter(({ status }) => status === 303)).toHaveLength(1);
  });
  it('expires', async () => {
    const link = await linkFor();
    world.clock.advance(LINK_VALID_FOR);
    expect((await new Visitor(served.url).get(link)).status).toBe(401);
  });
  it('is not used up by a preview of it', async () => {
    const link = await linkFor();
    await fetch(served.url + link, { method: 'HEAD' });
    expect((await new Visitor(served.url).get(link, { 'sec-purpose': 'prefetch' })).status).toBe(403);
    expect((await new Visitor(served.url).get(link)).status).toBe(303);
  });
  it.each(['', 'x', '%', "' or 1=1 --"])('is needed whole: %j signs nobody in', async (token) => {
    await linkFor();
    expect((await new Visitor(served.url).get(`/login?token=${encodeURIComponent(token)}`)).status).toBe(401);
  });
  it('shows nothing to a person whom policy lets see nothing', async () => {
    const visitor = new Visitor(served.url);
    await visitor.get(await linkFor({ ...CAT, authn: ['console:cat'] }));
    expect((await visitor.get('/')).status).toBe(403);
  });
});

describe('a session', () => {
  it('outlives a restart', async () => {
    const visitor = await signedIn();
    await served.close();
    served = await serveAgain();
    const returned = new Visitor(served.url);
    returned.cookie = visitor.cookie;
    expect((await returned.get('/')).status).toBe(200);
  });
  it('ends by itself', async () => {
    const visitor = await signedIn();
    world.clock.advance(SESSION_VALID_FOR);
    expect((await visitor.get('/')).status).toBe(401);
  });
  it('ends when the person signs out', async () => {
    const visitor = await signedIn();
    const { cookie } = visitor;
    expect((await visitor.post('/logout', { token: await visitor.token('/') })).status).toBe(200);
    visitor.cookie = cookie;
    expect((await visitor.get('/')).status).toBe(401);
  });
  it('cannot be taken from a copy of the database', async () => {
    const visitor = await signedIn();
    const secret = visitor.cookie.split('=')[1] ?? '';
    expect(secret).toHaveLength(43);
    const kept = JSON.stringify(await world.store.db.selectFrom('setting').selectAll().execute());
    expect(kept).toContain('console.session.');
    expect(kept).not.toContain(secret);
  });
});
