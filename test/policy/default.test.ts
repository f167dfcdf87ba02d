import { describe, expect, it } from 'vitest';
import { defaultTexts, loadPolicy } from '../../src/policy/load.ts';
import { openPolicy } from '../../src/policy/open.ts';
import type { Person, PersonAction, PhaseQuestion, Role } from '../../src/policy/policy.ts';
import { openRoster } from '../../src/policy/roster.ts';

const person = (id: string, ...roles: Role[]): Person => ({ id, name: id, roles, authn: [`cli:${id}`] });
const roster = openRoster([
  person('rita', 'responder'),
  person('lea', 'lead'),
  person('app', 'approver'),
  person('aud', 'auditor'),
]);
const policy = loadPolicy(undefined, roster);

/** Leaked inside, of middling severity, nobody knows whether it works: nothing that hurries. */
const calm: PhaseQuestion = {
  phase: 'contain',
  effects: ['observe', 'reversible'],
  credential: { kind: 'aws.access-key', id: 'key-1', where: { account: '111122223333', user: 'deploy' } },
  holding: {},
  severity: 'medium',
  exposure: 'internal',
  validity: 'unknown',
  braked: false,
};

const alone = { people: 0, roles: [] };
const anyoneOnCall = { people: 1, roles: ['responder', 'lead', 'approver'] };
const replacing = { people: 1, roles: ['lead', 'approver'] };
const twoLeads = { people: 2, roles: ['lead'] };
const never = { people: 1, roles: [] };
const forGood = ['observe', 'irreversible'] as const;

const CASES: readonly (readonly [string, Partial<PhaseQuestion>, { people: number; roles: string[] }])[] = [
  ['assess: looks without asking', { phase: 'assess', effects: ['observe'] }, alone],
  [
    'assess: looks at a protected one without asking',
    { phase: 'assess', effects: ['observe'], holding: { protected: 'x' } },
    alone,
  ],
  ['assess: looks with the brake on', { phase: 'assess', effects: ['observe'], braked: true }, alone],
  [
    'assess: never probes a honeytoken',
    { phase: 'assess', effects: ['observe'], holding: { honeytoken: true } },
    never,
  ],
  ['assess: asks when it would change something', { phase: 'assess', effects: ['reversible'] }, twoLeads],
  ['contain: asks when nothing hurries', {}, anyoneOnCall],
  ['contain: acts when public', { exposure: 'public' }, alone],
  ['contain: acts when critical', { severity: 'critical' }, alone],
  ['contain: acts when high', { severity: 'high' }, alone],
  ['contain: asks when low', { severity: 'low' }, anyoneOnCall],
  ['contain: acts when known to work', { validity: 'active' }, alone],
  ['contain: acts in production too', { exposure: 'public', holding: { environment: 'production' } }, alone],
  ['contain: acts when a responder asked', { requestedBy: 'rita' }, alone],
  ['contain: acts when a lead asked', { requestedBy: 'lea' }, alone],
  ['contain: acts when an approver asked', { requestedBy: 'app' }, alone],
  ['contain: asks when an auditor asked', { requestedBy: 'aud' }, anyoneOnCall],
  ['contain: asks when nobody we know asked', { requestedBy: 'mallory' }, anyoneOnCall],
  ['contain: asks when braked', { exposure: 'public', braked: true }, anyoneOnCall],
  ['contain: a person is not braked', { requestedBy: 'rita', braked: true }, alone],
  ['contain: two leads for a protected one', { exposure: 'public', holding: { protected: 'break-glass' } }, twoLeads],
  [
    'contain: two leads for a protected one, whoever asked',
    { requestedBy: 'lea', holding: { protected: 'x' } },
    twoLeads,
  ],
  ['contain: two leads for a protected one, braked', { braked: true, holding: { protected: 'x' } }, twoLeads],
  ['contain: never a honeytoken', { severity: 'critical', holding: { honeytoken: true } }, never],
  ['contain: never a honeytoken, whoever asked', { requestedBy: 'lea', holding: { honeytoken: true } }, never],
  [
    'contain: never a protected honeytoken',
    { severity: 'critical', holding: { honeytoken: true, protected: 'x' } },
    never,
  ],
  ['contain for good: asks', { effects: forGood }, anyoneOnCall],
  ['contain for good: asks even when critical', { effects: forGood, severity: 'critical' }, anyoneOnCall],
  ['contain for good: asks whoever asked', { effects: forGood, requestedBy: 'lea' }, anyoneOnCall],
  [
    'contain for good: asks when ownership is unknown',
    { effects: forGood, exposure: 'public', validity: 'active' },
    anyoneOnCall,
  ],
  [
    'contain for good: asks when it may not work',
    { effects: forGood, exposure: 'public', holding: { owner: 'web' } },
    anyoneOnCall,
  ],
  [
    'contain for good: asks when it is not public',
    { effects: forGood, validity: 'active', holding: { owner: 'web' } },
    anyoneOnCall,
  ],
  [
    'contain for good: acts when public, working and ours',
    { effects: forGood, exposure: 'public', validity: 'active', holding: { owner: 'web' } },
    alone,
  ],
  [
    'contain for good: asks two leads when protected',
    { effects: forGood, exposure: 'public', validity: 'active', holding: { owner: 'web', protected: 'x' } },
    twoLeads,
  ],
  [
    'contain for good: asks when braked',
    { effects: forGood, exposure: 'public', validity: 'active', holding: { owner: 'web' }, braked: true },
    anyoneOnCall,
  ],
  ['rotate: asks', { phase: 'rotate', severity: 'critical', exposure: 'public', requestedBy: 'lea' }, replacing],
  ['rotate: asks in production', { phase: 'rotate', holding: { environment: 'production' } }, replacing],
  ['rotate: two leads when protected', { phase: 'rotate', holding: { protected: 'x' } }, twoLeads],
  ['retire: asks', { phase: 'retire', effects: forGood }, replacing],
  [
    'retire: asks in production',
    { phase: 'retire', effects: forGood, holding: { environment: 'production' } },
    replacing,
  ],
  ['retire: two leads when protected', { phase: 'retire', effects: forGood, holding: { protected: 'x' } }, twoLeads],
  ['retire: never a honeytoken', { phase: 'retire', effects: forGood, holding: { honeytoken: true } }, never],
];

describe('the default policy, asked who must approve', () => {
  it.each(CASES)('%s', (_title, changes, expected) => {
    const rule = policy.approvalFor({ ...calm, ...changes });
    expect({ people: rule.people, roles: rule.roles }).toEqual(expected);
    expect(rule.because).not.toBe('');
  });

  it('says why in words for people', () => {
    expect(policy.approvalFor({ ...calm, severity: 'critical' }).because).toBe('the severity is critical');
    const guarded = { ...calm, holding: { protected: 'break-glass account' } };
    expect(policy.approvalFor(guarded).because).toContain('it is protected: break-glass account');
    const production = { ...calm, phase: 'rotate', holding: { environment: 'production' } } as const;
    expect(policy.approvalFor(production).because).toBe('whoever uses it will feel this; it is used in production');
  });
});

describe('the default policy, asked whether a finding leads to action', () => {
  it.each([
    ['an internal leak', {}, 'act'],
    ['a honeytoken', { holding: { honeytoken: true }, severity: 'critical' }, 'tell'],
    ['a honeytoken that a lead wants gone', { holding: { honeytoken: true }, requestedBy: 'lea' }, 'tell'],
    ['a protected one', { holding: { protected: 'x' } }, 'act'],
    ['an anomaly of medium severity', { exposure: 'anomaly' }, 'tell'],
    ['an anomaly of low severity', { exposure: 'anomaly', severity: 'low' }, 'tell'],
    ['an anomaly of high severity', { exposure: 'anomaly', severity: 'high' }, 'act'],
    ['a slight anomaly that a responder wants contained', { exposure: 'anomaly', requestedBy: 'rita' }, 'act'],
    ['a slight anomaly that an auditor asks about', { exposure: 'anomaly', requestedBy: 'aud' }, 'tell'],
    ['anything while braked', { braked: true }, 'act'],
  ] as const)('%s', (_title, changes, verdict) => {
    expect(policy.triage({ ...calm, ...changes })).toMatchObject({ verdict });
  });

  it('says why people are only told', () => {
    const { because } = policy.triage({ ...calm, exposure: 'anomaly' });
    expect(because).toBe('only its use is odd and the severity is medium: someone should look first');
  });
});

const ONE_APPROVER = { people: 1, roles: ['approver'], because: '' };
const WHO: readonly (readonly [PersonAction, readonly string[]])[] = [
  ['view', ['rita', 'lea', 'app', 'aud']],
  ['revoke', ['rita', 'lea', 'app']],
  ['freeze', ['rita', 'lea', 'app']],
  ['thaw', ['lea']],
  ['answer', ['rita', 'lea']],
  ['undo', ['rita', 'lea']],
  ['retry', ['rita', 'lea']],
  ['drill', ['rita', 'lea']],
  ['approve', ['app']],
  ['deny', ['lea', 'app']],
];

describe('the default policy, asked whether a person may', () => {
  it.each(WHO)('%s: only those whose role allows it', (action, allowed) => {
    const able = roster.people.filter((each) => policy.may(each, action, ONE_APPROVER).ok).map(({ id }) => id);
    expect(able).toEqual(allowed);
  });

  it('lets nobody approve where no role was asked', () => {
    const rule = { people: 1, roles: [], because: '' };
    expect(roster.people.filter((each) => policy.may(each, 'approve', rule).ok)).toEqual([]);
    expect(roster.people.filter((each) => policy.may(each, 'approve').ok)).toEqual([]);
  });

  it('lets someone without a role do nothing', () => {
    const nobody = person('nia');
    expect(WHO.filter(([action]) => policy.may(nobody, action, ONE_APPROVER).ok)).toEqual([]);
  });

  it('refuses a rule that names a role that does not exist', () => {
    const rule = { people: 1, roles: ['approver', 'king'], because: '' };
    expect(policy.may(person('app', 'approver'), 'approve', rule)).toMatchObject({ ok: false });
  });

  it('says who could, to someone who may not', () => {
    const { because } = policy.may(person('Rita', 'responder'), 'thaw');
    expect(because).toBe('Rita (responder) may not thaw: it takes a lead');
  });
});

describe('the version of a policy', () => {
  it('stays the same for the same texts and changes with any rule', () => {
    const texts = defaultTexts();
    expect(openPolicy(texts, roster).sha256).toBe(policy.sha256);
    expect(policy.sha256).toMatch(/^[0-9a-f]{64}$/);
    const more = { ...texts, 'more.cedar': '@reason("x") forbid (principal, action == Action::"thaw", resource);' };
    expect(openPolicy(more, roster).sha256).not.toBe(policy.sha256);
  });
});
