import { beforeEach, describe, expect, it } from 'vitest';
import { listIncidents, readIncident } from '../../src/incident/view.ts';
import { ingestFile } from '../../src/ingest/ingest-file.ts';
import { createWorld, type World } from '../engine/world.ts';
import { fixture } from '../ingest/samples.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});

const ofOneCommit = JSON.parse(fixture('gitleaks.json')).slice(0, 2);
const incidents = () => listIncidents(world.store.db, { limit: 10, open: false });

async function handIn(report: string): Promise<void> {
  const { app, clock } = world;
  const actor = { kind: 'person', id: 'ana', authn: 'cli:ana' } as const;
  await ingestFile({ bytes: Buffer.from(report), actor, defaults: {} }, { ...app, seal: app.options.seal, clock });
  await app.drain();
}

describe('what one commit leaked and nothing can act on', () => {
  it('is one incident, closed once people are told', async () => {
    await handIn(JSON.stringify(ofOneCommit));
    expect(await incidents()).toMatchObject([{ state: 'closed' }]);
    const incident = await readIncident(world.store.db, 'INC-1', world.clock.now());
    expect(incident?.findings).toMatchObject([{ verdict: 'told' }, { verdict: 'told' }]);
  });

  it('stays that incident when it is reported again', async () => {
    await handIn(JSON.stringify(ofOneCommit));
    const [{ id } = { id: '' }] = await incidents();
    const closedAt = (await readIncident(world.store.db, id, world.clock.now()))?.closedAt;
    world.clock.advance(60_000);
    await handIn(JSON.stringify(ofOneCommit, null, 2));
    expect(await incidents()).toMatchObject([{ id, state: 'closed' }]);
    expect(await readIncident(world.store.db, id, world.clock.now())).toMatchObject({ closedAt });
  });
});
