import { afterEach, describe, expect, it } from 'vitest';
import { leakedAwsAccessKey } from '../../../runbooks/leaked-aws-access-key.ts';
import { stolenAwsRoleSession } from '../../../runbooks/stolen-aws-role-session.ts';
import type { Credential } from '../../../src/core/credential.ts';
import type { Json, JsonObject } from '../../../src/core/json.ts';
import type { PlannedStep } from '../../../src/core/plan.ts';
import { layOut, resolve } from '../../../src/core/planner.ts';
import type { Runbook } from '../../../src/core/runbook.ts';
import { contextOf } from '../../connector.suite.ts';
import { ACCOUNT, type AwsTestWorld, openAws, ROLE, SECRET_NAME, sink, USER, where } from './world.ts';

let world: AwsTestWorld;
afterEach(() => world.close());

/** Does every call and confirmation of `steps` in order, and passes over what people and time do. */
async function walk(steps: readonly PlannedStep[], outputs: Map<string, Json>): Promise<void> {
  for (const step of steps) {
    world.advance(1_000);
    if (step.kind === 'guided' || step.kind === 'wait') continue;
    const operation = world.connector.operations.get(step.op);
    if (!operation) throw new Error(step.op);
    const ctx = contextOf(world, { idempotencyKey: step.id, patienceMs: 20_000 });
    const input = resolve(step.input, outputs);
    const out =
      operation.effect === 'observe'
        ? await operation.run(ctx, input)
        : await operation.run(ctx, input, await operation.before(ctx, input));
    if (step.kind === 'confirm') expect(out, step.id).toMatchObject({ state: step.expect });
    outputs.set(step.id, out);
  }
}

/** Plans and walks a whole runbook; the plan's steps by id. */
async function run(runbook: Runbook, credential: Credential, given: JsonObject): Promise<readonly PlannedStep[]> {
  const params = runbook.params.parse(given);
  const assess = layOut([{ phase: 'assess', steps: runbook.assess(credential, params) }]).get('assess') ?? [];
  const outputs = new Map<string, Json>();
  await walk(assess, outputs);
  const facts = Object.fromEntries([...outputs].map(([id, out]) => [id.replace('assess/', ''), out]));
  const response = runbook.respond(credential, facts, params);
  const phases = layOut([
    { phase: 'contain', steps: response.contain },
    { phase: 'rotate', steps: response.rotate },
    { phase: 'retire', steps: response.retire },
  ]);
  const steps = [...phases.values()].flat();
  await walk(steps, outputs);
  return steps;
}

const leaked = (): Credential => ({ kind: 'aws.access-key', id: world.key.id, where });
const ids = (steps: readonly PlannedStep[]): readonly string[] => steps.map(({ id }) => id);
const session = (action: string, params: Record<string, string>): string => {
  const { Credentials } = world.sim.world.perform({ keyId: world.key.id, service: 'sts', action, params });
  return typeof Credentials === 'object' && Credentials !== null && 'AccessKeyId' in Credentials
    ? String(Credentials.AccessKeyId)
    : '';
};
const assumed = (): string =>
  session('AssumeRole', { RoleArn: `arn:aws:iam::${ACCOUNT}:role/${ROLE}`, RoleSessionName: 'x' });

describe('the runbook leaked-aws-access-key', () => {
  it('ends with the key gone, all that it opened denied, and its users on a new key that works', async () => {
    world = await openAws();
    const opened = [session('GetSessionToken', {}), assumed()];
    const steps = await run(leakedAwsAccessKey, leaked(), { sink });
    expect(ids(steps)).toEqual([
      'contain/deny',
      'contain/disable',
      'contain/roles.1',
      'contain/dead',
      'contain/denied',
      'contain/rolesDenied.1',
      'rotate/issue',
      'rotate/narrow',
      'rotate/live',
      'retire/soak',
      'retire/stillDead',
      'retire/delete',
      'retire/gone',
    ]);
    const held = world.sim.world.secretValue(ACCOUNT, SECRET_NAME)?.accessKeyId ?? '';
    expect(world.sim.world.keys(ACCOUNT, USER).map(({ id }) => id)).toEqual([held]);
    expect(world.sim.world.canUse(held)).toBe(true);
    expect([world.key.id, ...opened].map((id) => world.sim.world.canUse(id))).toEqual([false, false, false]);
    expect(JSON.stringify(steps)).not.toContain(world.key.secret);
  });

  it('lets federation sessions run out before it narrows the deny that alone stops them', async () => {
    world = await openAws();
    session('GetFederationToken', { Name: 'x' });
    const steps = await run(leakedAwsAccessKey, leaked(), { sink });
    expect(steps.find(({ id }) => id === 'rotate/runOut')).toMatchObject({ kind: 'wait', forMs: 36 * 3_600_000 });
    expect(ids(steps).indexOf('rotate/runOut')).toBeLessThan(ids(steps).indexOf('rotate/narrow'));
  });

  it('contains all the same when the evidence could not be had, and then asks a person', async () => {
    world = await openAws();
    const assess = leakedAwsAccessKey.assess(leaked(), leakedAwsAccessKey.params.parse({}));
    const steps = layOut([{ phase: 'assess', steps: assess }]).get('assess') ?? [];
    const facts = Object.fromEntries(
      steps.map((step) => {
        if (step.kind !== 'call' || step.otherwise === undefined) throw new Error(`${step.id} holds up containment`);
        return [step.id.replace('assess/', ''), step.otherwise];
      }),
    );
    const { contain, rotate } = leakedAwsAccessKey.respond(leaked(), facts, leakedAwsAccessKey.params.parse({}));
    expect(Object.keys(contain)).toEqual(['deny', 'disable', 'roles', 'dead', 'denied', 'rolesDenied']);
    expect(rotate.sessions).toMatchObject({ kind: 'guided' });
  });

  it('shows whoever approves that a write-only sink cannot give back what it held', () => {
    const params = leakedAwsAccessKey.params.parse({ sink: { kind: 'github.actions-secret', owner: 'acme' } });
    const facts = { keys: { keys: [] }, opened: { known: true, federationSessions: 0, roles: [], elsewhere: [] } };
    const credential = { kind: 'aws.access-key', id: 'x', where };
    const { rotate } = leakedAwsAccessKey.respond(credential, facts, params);
    expect(rotate.issue).toMatchObject({ op: 'aws-iam.issueKeyWriteOnly', effect: 'unavoidable' });
  });

  it('asks about another key of the user before the deny is narrowed, because an intruder may have made it', async () => {
    world = await openAws();
    const other = world.sim.world.addKey(ACCOUNT, USER);
    const steps = await run(leakedAwsAccessKey, leaked(), {});
    const rotate = steps.filter(({ id }) => id.startsWith('rotate/'));
    expect(rotate.map(({ id }) => id)).toEqual(['rotate/otherKeys.1', 'rotate/narrow', 'rotate/issue']);
    expect(rotate[0]).toMatchObject({ kind: 'guided', instructions: expect.stringContaining(other.id) });
  });

  it('without a sink asks a person to make and store the new key', async () => {
    world = await openAws();
    const steps = await run(leakedAwsAccessKey, leaked(), {});
    expect(steps.find(({ id }) => id === 'rotate/issue')).toMatchObject({ kind: 'guided' });
    expect(world.sim.world.keys(ACCOUNT, USER)).toEqual([]);
  });
});

describe('the runbook stolen-aws-role-session', () => {
  it('ends with the stolen session and the role it went on to denied, and later sessions working', async () => {
    world = await openAws();
    world.sim.world.addRole(ACCOUNT, 'further', { attached: ['AdministratorAccess'] });
    const stolen = assumed();
    const onward = world.sim.world.perform({
      keyId: stolen,
      service: 'sts',
      action: 'AssumeRole',
      params: { RoleArn: `arn:aws:iam::${ACCOUNT}:role/further`, RoleSessionName: 'x' },
    });
    expect(onward).toHaveProperty('Credentials');
    world.advance(60 * 60_000);
    const credential = { kind: 'aws.role-session', id: stolen, where: { account: ACCOUNT, role: ROLE } };
    const steps = await run(stolenAwsRoleSession, credential, {});
    expect(ids(steps)).toEqual([
      'contain/revoke',
      'contain/further.1',
      'contain/denied',
      'contain/furtherDenied.1',
      'rotate/renew',
      'rotate/trust',
      'retire/denied',
      'retire/quiet',
    ]);
    world.advance(1_000);
    expect(world.sim.world.canUse(stolen)).toBe(false);
    expect(world.sim.world.canUse(assumed())).toBe(true);
  });
});
