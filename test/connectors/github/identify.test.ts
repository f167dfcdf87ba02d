import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clue } from '../../../src/core/finding.ts';
import { contextOf } from '../../connector.suite.ts';
import { type GithubTestWorld, openGithub } from './world.ts';

const AT = { owner: 'acme', repo: 'web' };
const ALERT = 'github.secret-scanning-alert';

let github: GithubTestWorld;
beforeEach(async () => {
  github = await openGithub();
  github.simulator.world.repository(AT);
});
afterEach(() => github.close());

const identify = (clue: Clue) => {
  const ask = github.connector.identify.get(clue.kind);
  if (!ask) throw new Error(`Nobody identifies ${clue.kind}`);
  return ask(contextOf(github), clue);
};

describe('a secret scanning alert', () => {
  it('leads to the token that it holds, with what GitHub knows of its exposure', async () => {
    const { world } = github.simulator;
    const token = world.addToken('ghp', 'ada');
    const alert = world.addAlert(AT, {
      secret: token,
      secretType: 'github_personal_access_token',
      publiclyLeaked: true,
      places: [
        { type: 'commit', path: 'deploy.env', line: 3, commit: 'ab'.repeat(20) },
        { type: 'issue_comment', issue: 9 },
      ],
    });
    expect(await identify({ kind: ALERT, where: alert })).toEqual({
      is: 'clue',
      clue: { kind: 'github.token', secret: token, where: { tokenType: 'ghp', alert } },
      validity: 'active',
      exposure: 'public',
      locations: [
        {
          label: 'acme/web: deploy.env line 3, commit abababa',
          url: `https://github.com/acme/web/blob/${'ab'.repeat(20)}/deploy.env#L3`,
        },
        { label: 'acme/web: issue comment', url: 'https://api.github.com/repos/acme/web/issues/comments/9' },
      ],
    });
  });

  it('counts as public when its repository is, whatever GitHub says of the secret', async () => {
    const { world } = github.simulator;
    world.repository({ owner: 'acme', repo: 'site' }, { visibility: 'public' });
    const given = { secret: world.addToken('ghp', 'ada'), secretType: 'github_personal_access_token' };
    const open = world.addAlert({ owner: 'acme', repo: 'site' }, given);
    const hidden = world.addAlert(AT, given);
    expect(await identify({ kind: ALERT, where: open })).toMatchObject({ exposure: 'public' });
    expect(await identify({ kind: ALERT, where: hidden })).toMatchObject({ exposure: 'internal' });
  });

  it('leads to an AWS key by the id that it holds', async () => {
    const id = ['AKIA', 'IOSFODNN7EXAMPLE'].join('').slice(0, 20);
    const alert = github.simulator.world.addAlert(AT, { secret: id, secretType: 'aws_access_key_id' });
    expect(await identify({ kind: ALERT, where: alert })).toMatchObject({
      is: 'clue',
      clue: { kind: 'aws.access-key', id, where: { alert } },
    });
  });

  it('is dead when somebody resolved it as revoked, and left to people when resolved otherwise', async () => {
    const { world } = github.simulator;
    const given = { secret: world.addToken('ghp', 'ada'), secretType: 'github_personal_access_token' };
    const revoked = world.addAlert(AT, given);
    Object.assign(world.alert(revoked), { state: 'resolved', resolution: 'revoked' });
    const ignored = world.addAlert(AT, given);
    Object.assign(world.alert(ignored), { state: 'resolved', resolution: 'wont_fix' });
    expect(await identify({ kind: ALERT, where: revoked })).toMatchObject({ is: 'dead' });
    expect(await identify({ kind: ALERT, where: ignored })).toMatchObject({ is: 'unknown' });
  });

  it('leads no further when it holds something that no connector here knows', async () => {
    const alert = github.simulator.world.addAlert(AT, { secret: 'opaque', secretType: 'acme_internal_key' });
    expect(await identify({ kind: ALERT, where: alert })).toEqual({
      is: 'unknown',
      because: 'Alert 1 of acme/web holds a secret of the type acme_internal_key, which leads no further here.',
    });
  });

  it('names the app’s missing installation, without guessing, when GitHub says 404', async () => {
    const where = { owner: 'stranger', repo: 'web', number: 1 };
    await expect(identify({ kind: ALERT, where })).rejects.toMatchObject({
      code: 'missing',
      message: expect.stringContaining('the app is not installed'),
    });
  });
});

describe('a token', () => {
  it.each(['ghp', 'github_pat', 'gho', 'ghu'] as const)('%s is told by the API itself', async (type) => {
    const secret = github.simulator.world.addToken(type, 'ada');
    expect(await identify({ kind: 'github.token', id: 'fp-1', secret })).toEqual({
      is: 'credential',
      credential: { kind: 'github.token', id: 'fp-1', where: { tokenType: type, owner: 'ada' } },
      validity: 'active',
    });
  });

  it('of an installation of our own app is told apart, because that installation can be suspended', async () => {
    const { world } = github.simulator;
    const secret = world.addToken('ghs', 'acme');
    const installationId = world.installation('acme').id;
    expect(await identify({ kind: 'github.token', id: 'fp-1', secret })).toMatchObject({
      credential: { where: { tokenType: 'ghs', owner: 'acme', installationId } },
    });
  });

  it('for refreshing is acted on although nobody can ask GitHub about it', async () => {
    const secret = github.simulator.world.addToken('ghr', 'ada');
    expect(await identify({ kind: 'github.token', id: 'fp-1', secret })).toMatchObject({
      is: 'credential',
      validity: 'unknown',
    });
  });

  it('that GitHub no longer accepts is dead, and a wrong checksum is told', async () => {
    const { world } = github.simulator;
    const secret = world.addToken('ghp', 'ada');
    Object.assign(world.token(secret) ?? {}, { deadAt: github.now() });
    expect(await identify({ kind: 'github.token', id: 'fp-1', secret })).toEqual({
      is: 'dead',
      because: 'This personal access token (classic) is dead: GitHub answers 401 Bad credentials.',
    });
    const wrong = `${secret.slice(0, -6)}000000`;
    const never = await identify({ kind: 'github.token', id: 'fp-2', secret: wrong });
    expect(never).toMatchObject({ is: 'dead', because: expect.stringContaining('checksum is wrong') });
  });

  it('is not called dead when something else than GitHub’s "Bad credentials" stands in the way', async () => {
    const secret = github.simulator.world.addToken('ghp', 'ada');
    github.faults.inject('GET /user', 'deny');
    expect(await identify({ kind: 'github.token', id: 'fp-1', secret })).toMatchObject({ is: 'unknown' });
    github.faults.inject('GET /user', 'error');
    await expect(identify({ kind: 'github.token', id: 'fp-1', secret })).rejects.toMatchObject({ code: 'unavailable' });
  });

  it.each(['throttle', 'error', 'garbage', 'drop-after'] as const)(
    'never stands in the failure "%s"',
    async (fault) => {
      const secret = github.simulator.world.addToken('ghp', 'ada');
      github.faults.inject('GET /user', fault);
      const failure: unknown = await identify({ kind: 'github.token', id: 'fp-1', secret }).catch((error) => error);
      expect(failure).toBeInstanceOf(Error);
      const shown = failure instanceof Error ? [failure.message, failure.stack, String(failure.cause)].join() : '';
      expect(shown).not.toContain(secret);
      expect(JSON.stringify(failure)).not.toContain(secret);
    },
  );
});

describe('a deploy key', () => {
  it('is found among the keys of its repository by its leaked private half', async () => {
    const { world } = github.simulator;
    world.addDeployKey(AT, { title: 'other' });
    const { id, privateKey } = world.addDeployKey(AT, { title: 'ci' });
    const alert = world.addAlert(AT, { secret: privateKey, secretType: 'github_ssh_private_key' });
    const led = await identify({ kind: ALERT, where: alert });
    expect(led).toMatchObject({ is: 'clue', clue: { kind: 'github.deploy-key', where: { ...AT, alert } } });
    const clue = led.is === 'clue' ? led.clue : undefined;
    expect(await identify({ ...clue, kind: 'github.deploy-key', id: 'fp-1' })).toEqual({
      is: 'credential',
      credential: { kind: 'github.deploy-key', id: String(id), where: { ...AT, keyId: id, alert } },
      validity: 'active',
    });
  });

  it('that is none of the repository’s is left to a person, and a number that is gone is dead', async () => {
    const { world } = github.simulator;
    const elsewhere = world.addDeployKey({ owner: 'acme', repo: 'api' });
    const clue = { kind: 'github.deploy-key', where: AT };
    expect(await identify({ ...clue, id: 'fp-1', secret: elsewhere.privateKey })).toMatchObject({ is: 'unknown' });
    expect(await identify({ ...clue, id: '77' })).toMatchObject({ is: 'dead' });
  });
});
