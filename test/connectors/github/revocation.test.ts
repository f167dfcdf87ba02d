import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { githubSource } from '../../../src/ingest/sources/github.ts';
import { contextOf } from '../../connector.suite.ts';
import { type GithubTestWorld, openGithub } from './world.ts';

const PROPAGATION_MS = 8_000;

let github: GithubTestWorld;
beforeEach(async () => {
  github = await openGithub({ propagationMs: PROPAGATION_MS });
});
afterEach(() => github.close());

const operation = (name: string) => {
  const found = github.connector.operations.get(`github.${name}`);
  if (!found) throw new Error(`There is no ${name}`);
  return found;
};
const liveness = (secret: string) => operation('tokenLiveness').run(contextOf(github), { secret }, null);

describe('revoking tokens in bulk', () => {
  it('is accepted at once and true only later, and the probe tells the two apart', async () => {
    const secret = github.seal(github.simulator.world.addToken('github_pat', 'ada'));
    const revoke = operation('revokeTokens');
    if (revoke.effect !== 'irreversible') throw new Error('revokeTokens must be irreversible');
    const input = { secrets: [secret] };
    expect(await revoke.run(contextOf(github), input, null)).toEqual({ accepted: 1 });
    expect(await liveness(secret)).toMatchObject({ state: 'live' });
    expect(await revoke.probe(contextOf(github), input, null)).toEqual({ state: 'not-done' });
    github.advance(PROPAGATION_MS);
    expect(await liveness(secret)).toMatchObject({ state: 'dead' });
    expect(await revoke.probe(contextOf(github), input, null)).toMatchObject({ state: 'done' });
  });

  it('is asked without saying who asks, because GitHub refuses anybody it knows', async () => {
    const secret = github.seal(github.simulator.world.addToken('ghp', 'ada'));
    await operation('revokeTokens').run(contextOf(github), { secrets: [secret] }, null);
    const asked = github.exchanges.find(({ path }) => path === '/credentials/revoke');
    expect(asked?.headers).not.toHaveProperty('authorization');
  });

  it('is not done while one of several still lives', async () => {
    const { world } = github.simulator;
    const dead = world.addToken('ghp', 'ada');
    Object.assign(world.token(dead) ?? {}, { deadAt: github.now() });
    const secrets = [github.seal(dead), github.seal(world.addToken('gho', 'bob'))];
    const revoke = operation('revokeTokens');
    if (revoke.effect !== 'irreversible') throw new Error('revokeTokens must be irreversible');
    expect(await revoke.probe(contextOf(github), { secrets }, null)).toEqual({ state: 'not-done' });
  });

  it('says "unknown" of a refresh token, about which GitHub answers nobody', async () => {
    const secret = github.seal(github.simulator.world.addToken('ghr', 'ada'));
    const revoke = operation('revokeTokens');
    if (revoke.effect !== 'irreversible') throw new Error('revokeTokens must be irreversible');
    expect(await revoke.probe(contextOf(github), { secrets: [secret] }, null)).toMatchObject({ state: 'unknown' });
  });

  it('refuses what GitHub would ignore: installation tokens and what is no token', async () => {
    const installation = github.seal(github.simulator.world.addToken('ghs', 'acme'));
    const nothing = github.seal('hunter2');
    for (const secret of [installation, nothing])
      await expect(operation('revokeTokens').run(contextOf(github), { secrets: [secret] }, null)).rejects.toMatchObject(
        {
          code: 'invalid',
        },
      );
    expect(github.exchanges).toEqual([]);
  });

  it('is limited to sixty requests an hour, after which GitHub says when to come back', async () => {
    const secret = github.seal(github.simulator.world.addToken('ghp', 'ada'));
    const revoke = () => operation('revokeTokens').run(contextOf(github), { secrets: [secret] }, null);
    for (let request = 0; request < 60; request += 1) await revoke();
    await expect(revoke()).rejects.toMatchObject({ code: 'throttled', retryAfterMs: expect.any(Number) });
    github.advance(3_600_000);
    await expect(revoke()).resolves.toEqual({ accepted: 1 });
  });

  it('cannot begin once the sealed token was destroyed', async () => {
    const revoke = operation('revokeTokens').run(contextOf(github), { secrets: ['sealed:gone'] }, null);
    await expect(revoke).rejects.toMatchObject({ code: 'missing' });
  });
});

describe('a suspended installation', () => {
  it('makes every token of it dead, and lifting it makes them live again', async () => {
    const { world } = github.simulator;
    const secret = github.seal(world.addToken('ghs', 'acme'));
    const suspend = operation('suspendInstallation');
    if (suspend.effect !== 'reversible') throw new Error('suspendInstallation must be reversible');
    const input = { installationId: world.installation('acme').id };
    const before = await suspend.before(contextOf(github), input);
    await suspend.run(contextOf(github), input, before);
    expect(await liveness(secret)).toMatchObject({ state: 'dead', because: expect.stringContaining('suspended') });
    await suspend.undo(contextOf(github), input, before);
    expect(await liveness(secret)).toMatchObject({ state: 'live' });
  });
});

describe('describing a token', () => {
  it('gives scopes, expiry and reach, and of a dead one that it is dead', async () => {
    const { world } = github.simulator;
    world.repository({ owner: 'acme', repo: 'web' });
    world.repository({ owner: 'acme', repo: 'api' });
    const expiresAt = new Date('2026-12-01T00:00:00Z');
    const token = world.addToken('ghp', 'ada', { scopes: ['repo', 'workflow'], organisations: ['acme'], expiresAt });
    const secret = github.seal(token);
    const describeIt = () => operation('describeToken').run(contextOf(github), { secret }, null);
    expect(await describeIt()).toMatchObject({
      state: 'live',
      login: 'ada',
      scopes: ['repo', 'workflow'],
      expiresAt: '2026-12-01T00:00:00.000Z',
      organisations: ['acme'],
      repositories: 2,
      moreRepositories: false,
    });
    Object.assign(world.token(token) ?? {}, { deadAt: github.now() });
    expect(await describeIt()).toMatchObject({ state: 'dead', login: null, organisations: null });
  });
});

describe('the simulated webhook', () => {
  it('is believed by our own ingest, and by nobody with another secret', async () => {
    const { world } = github.simulator;
    const secret = world.addToken('ghp', 'ada');
    const alert = world.addAlert(
      { owner: 'acme', repo: 'web' },
      { secret, secretType: 'github_personal_access_token' },
    );
    const { headers, body } = github.simulator.signedWebhook(alert, 'created', 'shared');
    const request = { headers, body: Buffer.from(body) };
    const source = githubSource({ secrets: ['shared'] });
    expect(await source.authenticate(request, github.now())).toMatchObject({ ok: true });
    expect(await githubSource({ secrets: ['other'] }).authenticate(request, github.now())).toMatchObject({ ok: false });
    expect(source.parse(request)).toMatchObject({
      kind: 'findings',
      findings: [{ clue: { kind: 'github.secret-scanning-alert', where: { owner: 'acme', repo: 'web', number: 1 } } }],
    });
  });
});
