import { afterEach, describe, expect, it } from 'vitest';
import type { Fault, Faults } from '../../src/core/simulator.ts';
import { ACCOUNT, doneByAws, type Flow, genericDelivery, githubAlert, openFlow, userState, WEB } from './world.ts';

let flow: Flow;

/** One call that contains something, and how to see from outside whether it is contained. */
interface Subject {
  readonly action: string;
  readonly faults: () => Faults;
  /** Leaks something and posts the alert. Gives what is true at the provider. */
  readonly leak: () => Promise<{ readonly contained: () => boolean; readonly effects: () => number }>;
  /** What a conflict is to this provider: AWS asks to try again soon, GitHub refuses for good. */
  readonly conflict: 'contained' | 'person';
}

const accessKey = async () => {
  const key = flow.key();
  await flow.post(githubAlert(flow, key.id).delivery);
  return () => {
    const { keys, policies } = userState(flow, key.user);
    const denied = policies.some(([, text]) => /"Effect":"Deny"/.test(text) && !text.includes('Condition'));
    return denied && keys.every(({ status }) => status === 'Inactive') && !flow.world.aws.world.canUse(key.id);
  };
};

export const AT_AWS: Readonly<Record<string, Subject>> = {
  'denying the user of an access key': {
    action: 'PutUserPolicy',
    faults: () => flow.world.aws.faults,
    leak: async () => ({ contained: await accessKey(), effects: () => doneByAws(flow, 'PutUserPolicy') }),
    conflict: 'contained',
  },
  'disabling an access key': {
    action: 'UpdateAccessKey',
    faults: () => flow.world.aws.faults,
    leak: async () => ({ contained: await accessKey(), effects: () => doneByAws(flow, 'UpdateAccessKey') }),
    conflict: 'contained',
  },
  'revoking the sessions of a role': {
    action: 'PutRolePolicy',
    faults: () => flow.world.aws.faults,
    async leak() {
      const { world } = flow.world.aws;
      world.addRole(ACCOUNT, 'web', { attached: ['AdministratorAccess'] });
      const params = { RoleArn: `arn:aws:iam::${ACCOUNT}:role/web`, RoleSessionName: 'i-0' };
      const { Credentials } = world.perform({
        keyId: flow.key('ec2').id,
        service: 'sts',
        action: 'AssumeRole',
        params,
      });
      const id = String(Object(Credentials).AccessKeyId);
      flow.clock.advance(60_000);
      await flow.post(
        genericDelivery(flow, {
          severity: 'high',
          exposure: 'anomaly',
          credential: { kind: 'aws.role-session', id, where: { account: ACCOUNT, role: 'web' } },
        }),
      );
      return { contained: () => !world.canUse(id), effects: () => doneByAws(flow, 'PutRolePolicy') };
    },
    conflict: 'contained',
  },
};

export const AT_GITHUB: Readonly<Record<string, Subject>> = {
  'revoking a GitHub token': {
    action: 'POST /credentials/revoke',
    faults: () => flow.world.github.faults,
    async leak() {
      const { world } = flow.world.github;
      const token = world.addToken('ghp', 'ada', { scopes: ['repo'] });
      await flow.post(githubAlert(flow, token, { secretType: 'github_personal_access_token' }).delivery);
      const effects = () => (world.token(token)?.deadAt === null ? 0 : 1);
      return { contained: () => !world.accepts(token), effects };
    },
    conflict: 'person',
  },
  'removing a deploy key': {
    action: 'DELETE /repos/{owner}/{repo}/keys/{key_id}',
    faults: () => flow.world.github.faults,
    async leak() {
      const { world } = flow.world.github;
      const { id, privateKey } = world.addDeployKey(WEB);
      const other = world.addDeployKey(WEB);
      for (const key of [privateKey, other.privateKey]) flow.plant(key);
      await flow.post(githubAlert(flow, privateKey, { secretType: 'ssh_private_key' }).delivery);
      const keys = () => world.repository(WEB).keys;
      return { contained: () => keys().every((key) => key.id !== id), effects: () => 2 - keys().length };
    },
    conflict: 'person',
  },
};

/** How a fault may end: proved dead after all, or with a person. Nothing third. */
const ENDS: Readonly<Record<Fault, (subject: Subject) => 'contained' | 'person'>> = {
  deny: () => 'person',
  missing: () => 'person',
  conflict: ({ conflict }) => conflict,
  throttle: () => 'contained',
  error: () => 'contained',
  'error-after': () => 'contained',
  garbage: () => 'contained',
  hang: () => 'contained',
  'drop-after': () => 'contained',
  lie: () => 'person',
};
const inventory = [{ match: { kind: 'github.token' }, owner: 'ada' }];

/** Shows every fault at the call that contains: it ends in a retry, a probe, or a person; never in a wrong "contained". */
export function describeFaults(subjects: Readonly<Record<string, Subject>>): void {
  afterEach(() => flow.end());
  describe.each(Object.entries(subjects))('%s', (_name, subject) => {
    it.each(Object.entries(ENDS))('when the provider shows "%s"', async (fault, endOf) => {
      flow = await openFlow({ inventory, ...(fault === 'hang' ? { timeoutMs: 700 } : {}) });
      const { contained, effects } = await subject.leak();
      subject.faults().inject(subject.action, fault as Fault);
      await flow.settle();
      const run = await flow.run();
      expect(flow.calls).toContain(subject.action);
      if (endOf(subject) === 'contained') {
        const proved = run.milestones.contained !== undefined;
        expect({ proved, really: contained(), effects: effects() }).toEqual({ proved: true, really: true, effects: 1 });
        return;
      }
      expect(run).toMatchObject({ standing: 'needs-person', action: { what: { need: 'help', phase: 'contain' } } });
      expect(run.milestones.contained).toBeUndefined();
      expect({ really: contained(), effects: effects() }).toEqual({ really: false, effects: 0 });
      if (fault !== 'deny') return;
      const [begun, ended] = [run.state.begun.get('contain')?.at, run.state.ended.get('contain')?.at];
      expect((ended ?? 0) - (begun ?? 0), 'a refusal for good calls a person soon').toBeLessThan(60_000);
    });
  });
}
