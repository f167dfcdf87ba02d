import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { github, githubPermissions } from '../../../connectors/github/index.ts';
import { appManifest } from '../../../connectors/github/permissions.ts';
import { Failure } from '../../../src/core/failure.ts';
import { contextOf } from '../../connector.suite.ts';
import { type GithubTestWorld, openGithub } from './world.ts';

let opened: GithubTestWorld | undefined;
afterEach(async () => {
  await opened?.close();
  opened = undefined;
});
const open = async (options: Parameters<typeof openGithub>[0] = {}): Promise<GithubTestWorld> => {
  opened = await openGithub(options);
  return opened;
};
const parsed = (env: object) => github.connector.settings.safeParse(env);
const problems = (env: object): string => {
  const result = parsed(env);
  return result.success ? '' : z.prettifyError(result.error);
};

describe('the settings of GitHub', () => {
  it('count as meant when any of them is set, and not when all are empty', () => {
    expect(github.connector.configured({})).toBe(false);
    expect(github.connector.configured({ GITHUB_TOKEN: '' })).toBe(false);
    expect(github.connector.configured({ GITHUB_APP_ID: '1' })).toBe(true);
  });

  it('refuse half an app by the name of the other half', () => {
    expect(problems({ GITHUB_APP_ID: '1' })).toContain('GITHUB_APP_PRIVATE_KEY');
    expect(problems({ GITHUB_APP_PRIVATE_KEY: 'x' })).toContain('GITHUB_APP_ID');
    expect(problems({ GITHUB_API_URL: 'https://api.github.com' })).toContain('GITHUB_TOKEN');
    expect(problems({ GITHUB_APP_ID: 'one', GITHUB_APP_PRIVATE_KEY: 'x' })).toContain('number');
    expect(problems({ GITHUB_TOKEN: 'x', GITHUB_API_URL: 'ftp://x' })).toContain('GITHUB_API_URL');
  });

  it('say which of them are secret', () => {
    const { GITHUB_APP_PRIVATE_KEY: key, GITHUB_TOKEN: token, GITHUB_APP_ID: id } = github.connector.settings.shape;
    const secret = [key, token, id].map((field) => (field instanceof z.ZodType ? field.meta()?.secret : null));
    expect(secret).toEqual([true, true, undefined]);
  });

  it('name the setting, and not its value, when the private key is none', async () => {
    const world = await open({ env: () => ({ GITHUB_APP_PRIVATE_KEY: '/nowhere/app.pem' }) });
    const failure = await world.connector.doctor(contextOf(world));
    expect(failure[0]?.detail).toContain('GITHUB_APP_PRIVATE_KEY is neither');
  });

  it('take a PEM whose line ends are written out, as environment files have it', async () => {
    const world = await open({
      env: (given) => ({ GITHUB_APP_PRIVATE_KEY: given.GITHUB_APP_PRIVATE_KEY?.replaceAll('\n', '\\n') }),
    });
    expect((await world.connector.doctor(contextOf(world)))[0]).toMatchObject({ state: 'ok' });
  });
});

describe('the guard', () => {
  it('sees every address before it is touched', async () => {
    const outside = {
      now: () => new Date(),
      guard: (url: URL) => {
        throw new Failure('denied', `A drill may not talk to ${url.host}.`);
      },
    };
    const connector = github.connector.open({ GITHUB_TOKEN: 'x' }, outside);
    const world = { ...(await open()), connector };
    const read = connector.operations.get('github.readAlert');
    if (read?.effect !== 'observe') throw new Error('no readAlert');
    await expect(read.run(contextOf(world), { owner: 'acme', repo: 'web', number: 1 })).rejects.toMatchObject({
      code: 'denied',
      message: 'A drill may not talk to api.github.com.',
    });
  });
});

describe('doctor', () => {
  it('is content with an app that has what the operations declare and no more', async () => {
    const world = await open();
    world.simulator.world.installation('acme');
    const checks = await world.connector.doctor(contextOf(world));
    expect(checks.map(({ name, state }) => [name, state])).toEqual([
      ['identity', 'ok'],
      ['permissions of the app', 'ok'],
      ['installation on acme', 'ok'],
      ['webhook', 'unknown'],
    ]);
  });

  it('tells what is missing and what is too much, for the app and for each installation', async () => {
    const world = await open();
    const { world: provider } = world.simulator;
    provider.appPermissions = { ...provider.appPermissions, contents: 'write', actions: 'read' };
    provider.installation('acme', { metadata: 'read', administration: 'read' });
    const checks = await world.connector.doctor(contextOf(world));
    expect(checks).toContainEqual({
      name: 'permissions of the app',
      state: 'too-much',
      detail: 'Given but never used: contents:write, actions:read. Take it away.',
    });
    expect(checks).toContainEqual({
      name: 'installation on acme',
      state: 'missing',
      detail:
        'Not given: administration:write, secret_scanning_alerts:write, secrets:write. What needs it will be refused.',
    });
  });

  it('says that the app is installed nowhere, and that an installation is suspended', async () => {
    const world = await open();
    expect(await world.connector.doctor(contextOf(world))).toContainEqual(
      expect.objectContaining({ name: 'installations', state: 'missing' }),
    );
    world.simulator.world.installation('acme').suspendedAt = world.now();
    expect(await world.connector.doctor(contextOf(world))).toContainEqual(
      expect.objectContaining({ name: 'installation on acme', state: 'warning' }),
    );
  });

  it('warns of a long-lived token, which works, but not for what takes an app', async () => {
    const world = await open();
    const token = world.simulator.world.addToken('ghp', 'bot', { scopes: ['repo'] });
    const connector = github.connector.open(
      { GITHUB_API_URL: world.apiUrl, GITHUB_TOKEN: token },
      { now: world.now, guard: () => {} },
    );
    const withToken = { ...world, connector };
    expect((await connector.doctor(contextOf(withToken)))[0]).toMatchObject({ name: 'identity', state: 'warning' });
    const { id } = world.simulator.world.installation('acme');
    const suspend = connector.operations.get('github.suspendInstallation');
    if (suspend?.effect !== 'reversible') throw new Error('no suspendInstallation');
    await expect(suspend.before(contextOf(withToken), { installationId: id })).rejects.toMatchObject({
      code: 'denied',
    });
  });
});

describe('the permissions document', () => {
  it('is made of what the operations declare', () => {
    expect(githubPermissions).toEqual({
      administration: 'write',
      metadata: 'read',
      secret_scanning_alerts: 'write',
      secrets: 'write',
    });
    expect(appManifest({}, 'https://tourniquet.example').hook_attributes.url).toBe(
      'https://tourniquet.example/webhooks/github',
    );
  });
});
