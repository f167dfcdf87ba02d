import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Session } from '../../src/console/session.ts';
import { readSwitches } from '../../src/store/settings.ts';
import { Visitor } from './http.ts';
import {
  openWorld,
  planShaOf,
  runOf,
  type Served,
  serveConsole,
  tellContained,
  tellGuided,
  tellStory,
  tellStuck,
  type World,
} from './world.ts';

/** Lets in one person from anywhere, so that a test can be someone else. */
const as = (person: string): Session => ({ howToEnter: '', personFor: async () => ({ authn: `console:${person}` }) });

let world: World;
let served: Served;
let visitor: Visitor;
beforeEach(async () => {
  world = await openWorld();
  served = await serveConsole(world);
  visitor = new Visitor(served.url);
});
afterEach(async () => {
  await served.close();
  await world.store.close();
});

const send = async (fields: Record<string, string>, path = '/incidents/INC-1'): Promise<Response> =>
  visitor.post(path, {
    token: await visitor.token(path === '/freeze' ? '/' : path),
    run: runOf(1),
    text: '',
    ...fields,
  });
const verdict = (act: 'approve' | 'deny', more: Record<string, string> = {}) =>
  send({ act, plan: planShaOf({ number: 1 }), ...more });
const last = async () => (await world.ledger.ofIncident('incident-1')).at(-1);
const follow = async (response: Response): Promise<string> => {
  expect(response.status).toBe(303);
  return (await visitor.get(response.headers.get('location') ?? '')).text();
};

describe('a verdict', () => {
  beforeEach(() => tellStory(world, { number: 1 }));

  it('is recorded for exactly the plan that was shown, with who gave it and why, and is acknowledged', async () => {
    const page = await follow(await verdict('approve', { text: 'checked with the owner' }));
    expect(await last()).toMatchObject({
      type: 'approval',
      verdict: 'approve',
      planSha256: planShaOf({ number: 1 }),
      why: 'checked with the owner',
      actor: { kind: 'person', id: 'ana', authn: 'console:local' },
    });
    expect(page).toContain('Approved. INC-1 goes on: contain, then retire.');
  });
  it('can be no, and is then recorded as no', async () => {
    expect(await follow(await verdict('deny'))).toContain('Denied. INC-1 stays as it is.');
    expect(await last()).toMatchObject({ type: 'approval', verdict: 'deny' });
  });
  it('on another plan is refused, says why, and keeps what was typed', async () => {
    const response = await verdict('approve', { plan: '0'.repeat(64), text: 'half a <thought>' });
    expect(response.status).toBe(409);
    const page = await response.text();
    expect(page).toContain('has changed since you saw it');
    expect(page).toContain('half a &lt;thought&gt;</textarea>');
    expect((await last())?.type).not.toBe('approval');
  });
  it('is acknowledged to the one who gave it, whoever opens the same address', async () => {
    const location = (await verdict('approve')).headers.get('location') ?? '';
    expect(await (await new Visitor(served.url).get(location)).text()).not.toContain('Approved. INC-1');
  });
  it('on a run of another incident is refused', async () => {
    await tellStory(world, { number: 2 });
    expect((await verdict('approve', { run: runOf(2) })).status).toBe(404);
  });
});

describe('who may not decide', () => {
  it('sees why instead of a button: the one who asked for it', async () => {
    await tellStory(world, { number: 1, requestedBy: 'ana' });
    const page = await (await visitor.get('/incidents/INC-1')).text();
    expect(page).toContain('You asked for this yourself');
    expect(page).not.toContain('value="approve"');
    const token = await visitor.token('/');
    const sent = { token, run: runOf(1), act: 'approve', plan: planShaOf({ number: 1, requestedBy: 'ana' }) };
    expect((await visitor.post('/incidents/INC-1', sent)).status).toBe(403);
  });
  it('sees why instead of a button: someone without the role', async () => {
    await tellStory(world, { number: 1 });
    const other = await serveConsole(world, { session: as('bo') });
    const page = await (await new Visitor(other.url).get('/incidents/INC-1')).text();
    expect(page).toContain('You may not decide this yourself');
    expect(page).not.toContain('value="approve"');
    expect(page).not.toContain('Freeze…');
    await other.close();
  });
  it('sees nothing at all: someone who may not look, or whom nobody knows', async () => {
    await tellStory(world, { number: 1, title: 'a secret of ours' });
    for (const person of ['cat', 'nobody']) {
      const other = await serveConsole(world, { session: as(person) });
      for (const path of ['/', '/incidents/INC-1', '/incidents/INC-1/live', '/ledger']) {
        const response = await new Visitor(other.url).get(path);
        expect(response.status).toBe(403);
        expect(await response.text()).not.toContain('a secret of ours');
      }
      await other.close();
    }
  });
});

describe('what people can ask for besides', () => {
  const contained = async () => {
    await tellStory(world, { number: 1 });
    await verdict('approve');
    await tellContained(world, 1);
  };
  it('undo, with a reason that goes on record', async () => {
    await contained();
    expect((await send({ act: 'undo', text: '  ' })).status).toBe(422);
    expect(await follow(await send({ act: 'undo', text: 'a false alarm' }))).toContain('Undoing INC-1');
    expect(await last()).toMatchObject({
      why: 'a false alarm',
      decision: { is: 'undo-requested', steps: ['contain/deny', 'contain/disable'] },
    });
  });
  it('an answer to the step that was done by hand', async () => {
    await contained();
    await tellGuided(world, 1);
    expect(await (await visitor.get('/incidents/INC-1')).text()).toContain('What did you change?');
    await follow(await send({ act: 'answer', step: 'rotate/ci', text: 'nightly uses the new key' }));
    expect(await last()).toMatchObject({ decision: { is: 'answered', answer: 'nightly uses the new key' } });
  });
  it('another attempt at what failed', async () => {
    await tellStory(world, { number: 1 });
    await verdict('approve');
    await tellStuck(world, 1);
    expect(await follow(await send({ act: 'retry' }))).toContain('Trying INC-1 again.');
    expect(await last()).toMatchObject({ decision: { is: 'retry-requested' } });
  });
  it('freeze and thaw, each with a reason, and every page says that it is frozen', async () => {
    await tellStory(world, { number: 1 });
    expect((await send({ act: 'freeze', text: '' }, '/freeze')).status).toBe(422);
    expect(await follow(await send({ act: 'freeze', text: 'odd things happen' }, '/freeze'))).toContain('Frozen.');
    expect(await readSwitches(world.store.db)).toEqual({ frozen: true });
    for (const path of ['/', '/incidents/INC-1', '/ledger'])
      expect(await (await visitor.get(path)).text()).toContain('until someone thaws it');
    await follow(await send({ act: 'thaw', text: 'all clear' }, '/freeze'));
    expect(await readSwitches(world.store.db)).toEqual({ frozen: false });
  });
});
