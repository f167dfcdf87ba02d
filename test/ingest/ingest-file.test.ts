import { describe, expect, it } from 'vitest';
import { ingestFile } from '../../src/ingest/ingest-file.ts';
import { storedParser } from '../../src/ingest/stored.ts';
import { AWS_KEY, fixture, GITHUB_TOKEN } from './samples.ts';
import { openWorld } from './world.ts';

const actor = { kind: 'person', id: 'ada', authn: 'cli:os-user' } as const;
const file = (body: string, more = {}) => ({ bytes: Buffer.from(body), defaults: {}, actor, ...more });

describe('handing in a report', () => {
  it('goes the way of every alert and reads the same in triage, later', async () => {
    await using world = await openWorld();
    const report = file(fixture('gitleaks.json'), { defaults: { repository: 'acme/web', exposure: 'public' } });
    expect(await ingestFile(report, world)).toEqual({
      ok: true,
      id: expect.any(String),
      status: 'accepted',
      format: 'gitleaks',
      findings: 3,
    });
    expect(await world.received()).toMatchObject([
      { source: 'report:gitleaks', outcome: 'accepted', status: 0, actor },
    ]);
    const item = await world.inbox.next();
    expect(item).toMatchObject({ source: 'report:gitleaks', severity: 'high' });
    world.clock.advance(3_600_000);
    const parsed = storedParser([])('report:gitleaks', world.inbox.open(item ?? { id: '', body: Buffer.alloc(0) }));
    expect(parsed).toMatchObject({
      findings: [{ exposure: 'public', clue: { id: AWS_KEY }, detectedAt: '2026-05-04T10:00:10.000Z' }, {}, {}],
    });
    expect(world.bytesOnDisk().includes(GITHUB_TOKEN)).toBe(false);
  });

  it('twice is a duplicate, with other defaults it is not', async () => {
    await using world = await openWorld();
    await ingestFile(file(fixture('trufflehog.jsonl')), world);
    world.clock.advance(60_000);
    expect(await ingestFile(file(fixture('trufflehog.jsonl')), world)).toMatchObject({ status: 'duplicate' });
    const corrected = file(fixture('trufflehog.jsonl'), { defaults: { exposure: 'public' } });
    expect(await ingestFile(corrected, world)).toMatchObject({ status: 'accepted', format: 'trufflehog' });
  });

  it('without leaks is recorded and asks for nothing', async () => {
    await using world = await openWorld();
    expect(await ingestFile(file('[]'), world)).toMatchObject({ ok: true, status: 'nothing', findings: 0 });
    expect(await world.inbox.next()).toBeNull();
    expect(await world.received()).toMatchObject([{ outcome: 'accepted', because: 'The report holds no leaks.' }]);
  });

  it.each([
    ['that no format fits', file('hello'), 'gitleaks, sarif, trufflehog'],
    ['of a format nobody knows', file('[]', { format: 'csv' }), 'gitleaks, sarif, trufflehog'],
    ['of another format than told', file(fixture('gitleaks.json'), { format: 'sarif' }), 'expected object'],
    ['that is cut off', file(fixture('gitleaks.json').slice(0, -40)), 'Character'],
  ])('%s is refused with a reason, and an entry says so', async (_name, report, reason) => {
    await using world = await openWorld();
    expect(await ingestFile(report, world)).toMatchObject({ ok: false, message: expect.stringContaining(reason) });
    expect(await world.inbox.next()).toBeNull();
    expect(await world.received()).toMatchObject([{ outcome: 'rejected', status: 0, actor }]);
  });
});

describe('an alert kept for a source that is no longer configured', () => {
  it('is reported as such, not lost', () => {
    const parsed = storedParser([])('github', { headers: {}, body: Buffer.alloc(0) });
    expect(parsed).toMatchObject({ kind: 'invalid', message: expect.stringContaining('no longer configured') });
  });
});
