import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TokenType } from '../../../connectors/github/token.ts';
import { leakedDeployKey } from '../../../runbooks/leaked-deploy-key.ts';
import { leakedGithubToken } from '../../../runbooks/leaked-github-token.ts';
import type { Credential } from '../../../src/core/credential.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import { PHASES, type PlannedStep } from '../../../src/core/plan.ts';
import { layOut } from '../../../src/core/planner.ts';
import type { Runbook } from '../../../src/core/runbook.ts';
import { contextOf } from '../../connector.suite.ts';
import { type GithubTestWorld, openGithub } from './world.ts';

const AT = { owner: 'acme', repo: 'web' };

let github: GithubTestWorld;
beforeEach(async () => {
  github = await openGithub();
});
afterEach(() => github.close());

const operationOf = (name: string) => {
  const found = github.connector.operations.get(name);
  if (!found) throw new Error(`There is no ${name}`);
  return found;
};

/** What the connector answers to the steps of `assess`. */
async function assess(runbook: Runbook, credential: Credential, params: JsonObject): Promise<JsonObject> {
  const facts: Record<string, Json> = {};
  const steps = layOut([{ phase: 'assess', steps: runbook.assess(credential, params) }]).get('assess') ?? [];
  for (const step of steps) {
    if (step.kind !== 'call') continue;
    const operation = operationOf(step.op);
    if (operation.effect === 'observe')
      facts[step.id.replace('assess/', '')] = await operation.run(contextOf(github), step.input);
  }
  return facts;
}

/** Everything after `assess`, in order, as planned. */
async function planned(runbook: Runbook, credential: Credential, params: JsonObject = {}): Promise<PlannedStep[]> {
  const response = runbook.respond(credential, await assess(runbook, credential, params), params);
  const later = PHASES.filter((phase) => phase !== 'assess').map((phase) => ({ phase, steps: response[phase] }));
  return [...layOut(later).values()].flat();
}

/** Does what a plan says, guided steps apart. Throws when something that must be dead is not. */
async function carryOut(steps: readonly PlannedStep[]): Promise<void> {
  for (const step of steps) {
    const ctx = contextOf(github);
    if (step.kind === 'confirm') {
      const operation = operationOf(step.op);
      if (operation.effect !== 'observe') throw new Error(`${step.op} does not only observe`);
      expect(await operation.run(ctx, step.input), step.title).toMatchObject({ state: step.expect });
    }
    if (step.kind !== 'call') continue;
    const operation = operationOf(step.op);
    if (operation.effect === 'observe') await operation.run(ctx, step.input);
    else await operation.run(ctx, step.input, await operation.before(ctx, step.input));
  }
}

const titles = (steps: readonly PlannedStep[]) => steps.map(({ id, title }) => `${id}: ${title}`);

describe('leaked-github-token', () => {
  const leak = (type: TokenType, where: JsonObject = {}) => {
    const { world } = github.simulator;
    const token = world.addToken(type, type === 'ghs' ? 'acme' : 'ada', { scopes: ['repo'] });
    const alert = world.addAlert(AT, { secret: token, secretType: 'github_personal_access_token' });
    const secret = github.seal(token);
    return {
      token,
      alert,
      credential: { kind: 'github.token', id: 'fp-1', where: { tokenType: type, alert, ...where }, secret },
    };
  };

  it('revokes a token, proves it dead, and resolves the alert', async () => {
    const { token, alert, credential } = leak('ghp', { owner: 'ada' });
    const steps = await planned(leakedGithubToken, credential);
    expect(titles(steps)).toEqual([
      'contain/revoke: Revoke the personal access token (classic)',
      'contain/dead: GitHub no longer accepts the token',
      'retire/dead: GitHub no longer accepts the token',
      'retire/resolve: Resolve the alert as revoked',
    ]);
    expect(steps[0]).toMatchObject({ effect: 'irreversible', unavoidable: expect.stringContaining('cannot disable') });
    await carryOut(steps);
    expect(github.simulator.world.accepts(token)).toBe(false);
    expect(github.simulator.world.alert(alert)).toMatchObject({ state: 'resolved', resolution: 'revoked' });
    expect(JSON.stringify(steps)).not.toContain(token);
  });

  it('asks for the computer to be cut off first, only where an intruder is known to be on it', async () => {
    const { credential } = leak('ghp');
    const first = async (params: JsonObject) => (await planned(leakedGithubToken, credential, params))[0]?.id;
    expect(await first({ hostIsolated: 'no' })).toBe('contain/isolate');
    expect(await first({ hostIsolated: 'yes' })).toBe('contain/revoke');
    expect(await first({})).toBe('contain/revoke');
  });

  it('tells its owner to make a new one when something uses it, with the scopes that it had', async () => {
    const { credential } = leak('gho');
    const steps = await planned(leakedGithubToken, credential, { consumers: ['nightly build'] });
    const guided = steps.find(({ id }) => id === 'rotate/replace');
    expect(guided).toMatchObject({ kind: 'guided', title: 'ada makes a new token' });
    expect(guided).toMatchObject({
      instructions: expect.stringMatching(/nightly build used this token.*\(the old one had repo\)/),
    });
  });

  it('suspends an installation of our own app in place of revoking, because that can be taken back', async () => {
    const installationId = github.simulator.world.installation('acme').id;
    const { token, alert, credential } = leak('ghs', { installationId });
    const steps = await planned(leakedGithubToken, credential);
    expect(steps[0]).toMatchObject({
      op: 'github.suspendInstallation',
      effect: 'reversible',
      input: { installationId },
    });
    await carryOut(steps.slice(0, 2));
    const suspendedAt = () => github.simulator.world.state.installations.get(installationId)?.suspendedAt;
    expect(suspendedAt()).not.toBeNull();
    expect(github.simulator.world.token(token)?.deadAt).toBeNull();
    const retire = steps.filter(({ id }) => id.startsWith('retire/'));
    expect(retire.map(({ id }) => id)).toEqual(['retire/runOut', 'retire/lift', 'retire/dead', 'retire/resolve']);
    github.advance(3_600_000);
    await carryOut(retire);
    expect(suspendedAt()).toBeNull();
    expect(github.simulator.world.alert(alert).resolution).toBe('revoked');
  });

  it('does not lift a suspension that was there before', async () => {
    const installation = github.simulator.world.installation('acme');
    const { credential } = leak('ghs', { installationId: installation.id });
    installation.suspendedAt = github.now();
    const { alert: _, ...where } = credential.where;
    const steps = await planned(leakedGithubToken, { ...credential, where });
    expect(steps.map(({ id }) => id)).toEqual(['contain/dead', 'rotate/appKey', 'retire/dead']);
  });

  it('revokes the installation token of another app with itself', async () => {
    const { token, credential } = leak('ghs');
    await carryOut(await planned(leakedGithubToken, credential));
    expect(github.simulator.world.accepts(token)).toBe(false);
  });

  it('has a person ask the app about a refresh token, on which GitHub is silent', async () => {
    const { token, credential } = leak('ghr');
    const steps = await planned(leakedGithubToken, credential);
    expect(steps.map(({ kind }) => kind)).toEqual(['call', 'guided', 'guided', 'call']);
    await carryOut(steps);
    expect(github.simulator.world.accepts(token)).toBe(false);
  });

  it('revokes nothing when the token is dead already', async () => {
    const { token, credential } = leak('ghp');
    Object.assign(github.simulator.world.token(token) ?? {}, { deadAt: github.now() });
    expect((await planned(leakedGithubToken, credential))[0]?.id).toBe('contain/dead');
  });
});

describe('leaked-deploy-key', () => {
  const leak = (readOnly: boolean) => {
    const { id } = github.simulator.world.addDeployKey(AT, { readOnly });
    return { kind: 'github.deploy-key', id: String(id), where: { ...AT, keyId: id } };
  };

  it('removes the key and proves it gone', async () => {
    const credential = leak(true);
    const steps = await planned(leakedDeployKey, credential);
    expect(titles(steps)).toEqual([
      `contain/remove: Remove deploy key ${credential.id} from acme/web`,
      'contain/gone: The repository no longer has the key',
      'retire/stillGone: The key is still gone',
    ]);
    await carryOut(steps);
    expect(github.simulator.world.repository(AT).keys).toEqual([]);
  });

  it('has a person look at what a key that could write may have pushed, and replace it where it is used', async () => {
    const steps = await planned(leakedDeployKey, leak(false), { consumers: ['deploy job'] });
    expect(steps.filter(({ kind }) => kind === 'guided').map(({ id }) => id)).toEqual([
      'rotate/check',
      'rotate/replace',
    ]);
  });
});
