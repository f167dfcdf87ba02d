import { afterEach, describe, expect, it } from 'vitest';
import { contextOf } from '../connector.suite.ts';
import { type GithubTestWorld, openGithub } from '../connectors/github/world.ts';
import { type Exchange, githubConformance } from './github.ts';

const AT = { owner: 'acme', repo: 'web' };

let github: GithubTestWorld | undefined;
afterEach(async () => {
  await github?.close();
  github = undefined;
});

/** Everything that the connector can do, once: its operations with their undo, identification, doctor and sink. */
async function tour(opened: GithubTestWorld): Promise<void> {
  const { world } = opened.simulator;
  const token = world.addToken('ghp', 'ada', { scopes: ['repo'], organisations: ['acme'] });
  const secret = opened.seal(token);
  const installationToken = opened.seal(world.addToken('ghs', 'acme'));
  const places = [
    { type: 'commit', path: 'a.env', line: 1, commit: 'ab'.repeat(20) },
    { type: 'issue_body', issue: 4 },
    { type: 'issue_comment', issue: 5 },
  ] as const;
  const alert = world.addAlert(AT, { secret: token, secretType: 'github_personal_access_token', places });
  const key = { ...AT, keyId: world.addDeployKey(AT).id };
  const installation = { installationId: world.installation('acme').id };
  const ctx = contextOf(opened, { patienceMs: 20_000 });
  const inputs: Readonly<Record<string, object>> = {
    readAlert: alert,
    alertLocations: alert,
    describeToken: { secret },
    tokenLiveness: { secret },
    describeDeployKey: key,
    deployKeyLiveness: key,
    describeInstallation: installation,
    resolveAlert: { ...alert, resolution: 'revoked', comment: 'Revoked' },
    removeDeployKey: key,
    suspendInstallation: installation,
    liftSuspension: installation,
    revokeTokens: { secrets: [secret] },
    revokeInstallationToken: { secret: installationToken },
  };
  await opened.connector.identify.get('github.secret-scanning-alert')?.(ctx, { kind: 'x', where: alert });
  await opened.connector.identify.get('github.token')?.(ctx, { kind: 'x', id: 'fp', secret: token });
  await opened.connector.doctor(ctx);
  const sink = ctx.sink({ kind: 'github.actions-secret', ...AT, names: { value: 'DEPLOY_TOKEN' } });
  await sink.before();
  await sink.write({ value: 'new' }, 'key-1');
  await sink.write({ value: 'newer' }, 'key-2');
  for (const [name, operation] of opened.connector.operations) {
    const input = { ...inputs[name.replace('github.', '')] };
    if (operation.effect === 'observe') await operation.run(ctx, input);
    else {
      const before = await operation.before(ctx, input);
      await operation.run(ctx, input, before);
      await operation.probe(ctx, input, before);
      if (operation.effect === 'reversible') await operation.undo(ctx, input, before);
    }
  }
}

describe('the connector and the simulated GitHub', () => {
  it('say nothing that GitHub’s own description does not allow, and use all that was cut from it', async () => {
    github = await openGithub();
    await tour(github);
    const { problems, operationOf, operations } = await githubConformance();
    expect(github.exchanges.flatMap(problems)).toEqual([]);
    const used = new Set(github.exchanges.map(operationOf));
    expect(operations.filter((name) => !name.startsWith('secret-scanning-alert/') && !used.has(name))).toEqual([]);
  });

  it.each(['created', 'publicly_leaked'] as const)('send the webhook "%s" as GitHub describes it', async (action) => {
    github = await openGithub();
    const secret = github.simulator.world.addToken('ghp', 'ada');
    const alert = github.simulator.world.addAlert(AT, { secret, secretType: 'github_personal_access_token' });
    const { headers, body } = github.simulator.signedWebhook(alert, action, 'webhook secret');
    const path = `/x-webhooks/secret-scanning-alert-${action.replace('_', '-')}`;
    const { problems } = await githubConformance();
    const sent = { method: 'POST', path, query: '', headers, body: JSON.parse(body), answer: null };
    expect(problems(sent)).toEqual([]);
    expect(body).not.toContain(secret);
  });
});

describe('the description', () => {
  const good: Exchange = {
    method: 'POST',
    path: '/credentials/revoke',
    query: '',
    headers: { 'content-type': 'application/json' },
    body: { credentials: ['x'] },
    answer: { status: 202, body: {} },
  };

  it.each<[string, Partial<Exchange>, string]>([
    ['a body that GitHub would refuse', { body: { credentials: [] } }, 'request'],
    ['a body that is not there', { body: undefined }, 'request'],
    ['a path that GitHub does not have', { path: '/credentials/burn' }, 'not in the description'],
    ['a success that GitHub never gives', { answer: { status: 200, body: {} } }, 'never answers 200'],
    ['an answer of another shape', { method: 'GET', path: '/user', answer: { status: 200, body: {} } }, 'answer 200'],
  ])('notices %s', async (_what, change, complaint) => {
    const { problems } = await githubConformance();
    expect(problems(good)).toEqual([]);
    expect(problems({ ...good, ...change }).join('\n')).toContain(complaint);
  });
});
