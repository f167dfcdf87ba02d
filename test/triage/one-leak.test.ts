import { expect, it } from 'vitest';
import { listIncidents, readIncident } from '../../src/incident/view.ts';
import { ingestFile } from '../../src/ingest/ingest-file.ts';
import { createWorld } from '../engine/world.ts';
import { fixture } from '../ingest/samples.ts';

it('what one commit leaked is one incident, though nothing of it can be acted on', async () => {
  const world = await createWorld();
  const { app, store, clock } = world;
  const actor = { kind: 'person', id: 'ana', authn: 'cli:ana' } as const;
  const ofOneCommit = JSON.stringify(JSON.parse(fixture('gitleaks.json')).slice(0, 2));
  await ingestFile({ bytes: Buffer.from(ofOneCommit), actor, defaults: {} }, { ...app, seal: app.options.seal, clock });
  await app.drain();
  const incidents = await listIncidents(store.db, { limit: 10, open: false });
  expect(incidents).toMatchObject([{ state: 'closed' }]);
  const incident = await readIncident(store.db, 'INC-1', clock.now());
  expect(incident?.findings).toMatchObject([{ verdict: 'told' }, { verdict: 'told' }]);
});
