import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Failure } from '../../../src/core/failure.ts';
import { contextOf } from '../../connector.suite.ts';
import { type GithubTestWorld, openGithub } from './world.ts';

const AT = { owner: 'acme', repo: 'web' };
const names = { accessKeyId: 'AWS_ACCESS_KEY_ID', secretAccessKey: 'AWS_SECRET_ACCESS_KEY' };
const target = { kind: 'github.actions-secret', ...AT, names };
const fields = { accessKeyId: 'the new id', secretAccessKey: 'the new secret' };
const PUT = 'PUT /repos/{owner}/{repo}/actions/secrets/{secret_name}';

let github: GithubTestWorld;
beforeEach(async () => {
  github = await openGithub();
  github.simulator.world.addActionsSecret(AT, names.accessKeyId, 'the old id');
});
afterEach(() => github.close());

const sink = () => contextOf(github).sink(target);
const held = () => Object.values(names).map((name) => github.simulator.world.actionsSecret(AT, name));

describe('Actions secrets as a sink', () => {
  it('hold what was written, encrypted on the way so that only GitHub can read it', async () => {
    const written = sink();
    const before = await written.before();
    expect(before).toEqual({ AWS_ACCESS_KEY_ID: '2026-11-19T12:00:00Z', AWS_SECRET_ACCESS_KEY: null });
    expect(await written.probe(before, 'key-1')).toEqual({ state: 'not-done' });
    const receipt = await written.write(fields, 'key-1');
    expect(held()).toEqual(['the new id', 'the new secret']);
    expect(await written.probe(before, 'key-1')).toEqual({ state: 'done', out: receipt });
    expect(JSON.stringify(github.exchanges)).not.toContain('the new secret');
    expect(JSON.stringify(receipt)).not.toContain('the new');
  });

  it('write once for one key within an attempt', async () => {
    const written = sink();
    const first = await written.write(fields, 'key-1');
    github.advance(5_000);
    expect(await written.write(fields, 'key-1')).toEqual(first);
    const puts = github.exchanges.filter(({ method }) => method === 'PUT');
    expect(puts).toHaveLength(2);
  });

  it('are not done when only a part was written, say so, and are mended by writing all again', async () => {
    const written = sink();
    const before = await written.before();
    const twice = { ...fields };
    github.faults.inject(PUT, 'error-after');
    await expect(written.write(twice, 'key-1')).rejects.toMatchObject({ code: 'unavailable' });
    expect(held()).toEqual(['the new id', null]);
    expect(await written.probe(before, 'key-1')).toEqual({ state: 'not-done' });
    await sink().write({ accessKeyId: 'third id', secretAccessKey: 'third secret' }, 'key-1');
    expect(held()).toEqual(['third id', 'third secret']);
    expect(await written.probe(before, 'key-1')).toMatchObject({ state: 'done' });
  });

  it('cannot give back what they held, and so offer no restore', () => {
    expect(sink().restore).toBeUndefined();
    expect(sink().label).toBe('Actions secrets AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY of acme/web');
  });

  it('refuse a secret of which a part would be lost, before anything is written', async () => {
    const failure = await sink()
      .write({ ...fields, sessionToken: 'x' }, 'key-1')
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'invalid' });
    expect(github.exchanges).toEqual([]);
  });

  it.each([
    ['no names', { ...target, names: {} }],
    ['a name that GitHub reserves', { ...target, names: { accessKeyId: 'GITHUB_KEY' } }],
    ['a path in place of a repository', { ...target, repo: '../other' }],
  ])('refuse %s', (_what, wrong) => {
    expect(() => contextOf(github).sink(wrong)).toThrow(Failure);
  });

  it('tell a missing permission from a missing secret', async () => {
    const { world } = github.simulator;
    const installation = world.installation('acme');
    world.state.installations.set(installation.id, { ...installation, permissions: { metadata: 'read' } });
    await expect(sink().before()).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringContaining('secrets:read'),
    });
  });
});
