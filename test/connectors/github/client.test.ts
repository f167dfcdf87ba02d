import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { GithubClient } from '../../../connectors/github/client.ts';
import { failureOf } from '../../../connectors/github/failures.ts';
import { askWith } from '../../../connectors/github/operations/tokens.ts';
import { makeToken, seededRandom } from '../../../connectors/github/simulator/random.ts';
import { checksumMatches, TOKEN_TYPES, tokenTypeOf, withoutTokens } from '../../../connectors/github/token.ts';
import { contextOf } from '../../connector.suite.ts';
import { openGithub, START } from './world.ts';

const refused = (status: number, headers: Record<string, string>, message = 'No') =>
  failureOf({ status, headers, body: { message }, asked: 'GET /x', needs: 'secrets:read' }, START);

describe('a refusal of GitHub', () => {
  it.each([
    ['403 with Retry-After', 403, { 'retry-after': '7' }, 7_000],
    ['429 with Retry-After', 429, { 'retry-after': '7' }, 7_000],
    ['429 that names no time', 429, {}, 60_000],
    [
      '403 with nothing left, until the limit is reset',
      403,
      { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(START.getTime() / 1_000 + 90) },
      90_000,
    ],
  ])('is a rate limit: %s', (_what, status, headers, retryAfterMs) => {
    expect(refused(status, headers)).toMatchObject({ code: 'throttled', retryAfterMs });
  });

  it('is a secondary limit by its words alone', () => {
    expect(refused(403, {}, 'You have exceeded a secondary rate limit.')).toMatchObject({
      code: 'throttled',
      retryAfterMs: 60_000,
    });
  });

  it('names the permission that is missing: GitHub’s word for it, or ours', () => {
    const theirs = refused(403, { 'x-accepted-github-permissions': 'administration=write' });
    expect(theirs).toMatchObject({ code: 'denied', message: expect.stringContaining('administration:write') });
    expect(refused(403, {})).toMatchObject({ code: 'denied', message: expect.stringContaining('secrets:read') });
  });

  it.each([
    [401, 'denied'],
    [404, 'missing'],
    [409, 'conflict'],
    [422, 'invalid'],
    [500, 'unavailable'],
    [503, 'unavailable'],
  ])('with %i is %s', (status, code) => {
    expect(refused(status, { 'x-github-request-id': 'ABC' })).toMatchObject({ code, requestId: 'ABC' });
  });

  it('says of 404 that it may be a missing permission', () => {
    expect(refused(404, {}).message).toContain('where we lack permission (secrets:read)');
  });

  it('never repeats a token', () => {
    const token = makeToken(seededRandom(1), 'ghp', '1');
    expect(refused(422, {}, `${token} is not valid`).message).not.toContain(token);
  });
});

describe('a token', () => {
  it.each(TOKEN_TYPES)('%s is known by its form', (type) => {
    const token = makeToken(seededRandom(3), type, '314159');
    expect(tokenTypeOf(token)).toBe(type);
    expect(withoutTokens(`<${token}>`)).toBe('<[token]>');
  });

  it('has a checksum where GitHub documents one', () => {
    const token = makeToken(seededRandom(4), 'ghp', '1');
    expect(checksumMatches(token)).toBe(true);
    expect(checksumMatches(`${token.slice(0, -1)}${token.endsWith('0') ? '1' : '0'}`)).toBe(false);
    expect(checksumMatches(makeToken(seededRandom(4), 'github_pat', '1'))).toBeNull();
  });
});

describe('the client', () => {
  let server: Server | undefined;
  afterEach(async () => {
    await new Promise<unknown>((resolve) => (server ? server.close(resolve) : resolve(undefined)));
    server = undefined;
  });
  const serve = async (answer: (url: string, response: ServerResponse) => void): Promise<string> => {
    server = createServer((request, response) => answer(request.url ?? '', response));
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    return typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : '';
  };
  const seen: string[] = [];
  const clientAt = (url: string) =>
    new GithubClient(
      { GITHUB_API_URL: url, GITHUB_TOKEN: 'x' },
      { now: () => START, guard: ({ href }) => seen.push(href) },
    );
  const scope = () => ({ signal: AbortSignal.timeout(4_000), receipt: () => {} });
  const ask = { who: { as: 'holder' as const, token: 'y' }, needs: null, answer: z.object({ login: z.string() }) };
  const json = (response: ServerResponse, body: object, headers: Record<string, string> = {}) =>
    response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));

  it('follows a redirect within GitHub, past the guard again', async () => {
    seen.length = 0;
    const url = await serve((path, response) =>
      path === '/user' ? response.writeHead(301, { location: '/user/1' }).end() : json(response, { login: 'ada' }),
    );
    const { data } = await clientAt(url).ask(scope(), ask, (rest, o) => rest.users.getAuthenticated(o));
    expect(data).toEqual({ login: 'ada' });
    expect(seen).toEqual([`${url}/user`, `${url}/user/1`]);
  });

  it('never carries a token to another host', async () => {
    const url = await serve((_path, response) => response.writeHead(307, { location: 'http://localhost:1/' }).end());
    const asked = clientAt(url).ask(scope(), ask, (rest, o) => rest.users.getAuthenticated(o));
    await expect(asked).rejects.toMatchObject({ code: 'missing', message: expect.stringContaining('has moved') });
  });

  it('does not turn a write into a read where a repository was renamed', async () => {
    const url = await serve((_path, response) => response.writeHead(301, { location: '/repositories/1/keys/2' }).end());
    const remove = clientAt(url).ask(scope(), { ...ask, answer: z.undefined() }, (rest, o) =>
      rest.repos.deleteDeployKey({ owner: 'acme', repo: 'web', key_id: 2, ...o }),
    );
    await expect(remove).rejects.toMatchObject({ code: 'missing' });
  });

  it('takes a token whose rate somebody has used up for live, so that a thief cannot hold up containment', async () => {
    const limited = (limit: string) =>
      serve((_path, response) => {
        const headers = { 'x-ratelimit-limit': limit, 'x-ratelimit-remaining': '0' };
        response.writeHead(403, { 'content-type': 'application/json', ...headers });
        response.end(JSON.stringify({ message: 'API rate limit exceeded' }));
      });
    const world = await openGithub();
    const token = world.simulator.world.addToken('ghp', 'ada');
    const known = clientAt(await limited('5000'));
    expect((await askWith({ ...contextOf(world), client: known }, token)).liveness).toMatchObject({ state: 'live' });
    await new Promise((resolve) => server?.close(resolve));
    const nobody = clientAt(await limited('60'));
    await expect(askWith({ ...contextOf(world), client: nobody }, token)).rejects.toMatchObject({ code: 'throttled' });
    await world.close();
  });

  it('calls silence unavailable when the connection is refused', async () => {
    const url = await serve(() => {});
    await new Promise((resolve) => server?.close(resolve));
    server = undefined;
    const asked = clientAt(url).ask(scope(), ask, (rest, o) => rest.users.getAuthenticated(o));
    await expect(asked).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('finds the installation again when the app was installed anew', async () => {
    const world = await openGithub();
    const provider = world.simulator.world;
    const alert = provider.addAlert({ owner: 'acme', repo: 'web' }, { secret: 'x', secretType: 'x' });
    const read = world.connector.operations.get('github.readAlert');
    if (read?.effect !== 'observe') throw new Error('no readAlert');
    await read.run(contextOf(world), alert);
    provider.state.installations.clear();
    provider.installation('acme');
    world.advance(3_600_000);
    await expect(read.run(contextOf(world), alert)).rejects.toMatchObject({ code: 'missing' });
    await expect(read.run(contextOf(world), alert)).resolves.toMatchObject({ state: 'open' });
    await world.close();
  });

  it('mints an installation token once, and again before it expires, by the given clock', async () => {
    const world = await openGithub();
    const secret = world.simulator.world.addToken('ghp', 'ada');
    const alert = world.simulator.world.addAlert({ owner: 'acme', repo: 'web' }, { secret, secretType: 'x' });
    const read = world.connector.operations.get('github.readAlert');
    const minted = () => world.exchanges.filter(({ path }) => path.endsWith('/access_tokens')).length;
    if (read?.effect !== 'observe') throw new Error('no readAlert');
    await read.run(contextOf(world), alert);
    await read.run(contextOf(world), alert);
    expect(minted()).toBe(1);
    world.advance(59.5 * 60_000);
    await read.run(contextOf(world), alert);
    expect(minted()).toBe(2);
    await world.close();
  });
});
