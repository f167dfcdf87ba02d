import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BadPolicy } from '../../src/policy/compile.ts';
import { loadPolicy } from '../../src/policy/load.ts';
import { openPolicy } from '../../src/policy/open.ts';
import type { PhaseQuestion } from '../../src/policy/policy.ts';
import { openRoster } from '../../src/policy/roster.ts';

const roster = openRoster([]);
const question: PhaseQuestion = {
  phase: 'contain',
  effects: ['reversible'],
  credential: { kind: 'k', id: '1', where: { account: '42', regions: ['a'] } },
  holding: {},
  severity: 'critical',
  exposure: 'public',
  validity: 'active',
  braked: false,
};

const permit = '@reason("yes") permit (principal, action == Action::"contain", resource);';
const asking = (people: string, roles: string): string =>
  `@reason("ask ${roles}") @people("${people}") @roles("${roles}") forbid (principal, action == Action::"contain", resource);`;

const rulesOf = (...texts: string[]) => openPolicy({ 'test.cedar': texts.join('\n') }, roster).approvalFor(question);

describe('rules that ask', () => {
  it('outweigh a permit', () => {
    expect(rulesOf(permit)).toEqual({ people: 0, roles: [], because: 'yes' });
    expect(rulesOf(permit, asking('1', 'lead'))).toEqual({ people: 1, roles: ['lead'], because: 'ask lead' });
  });

  it('ask as many people as the one that asks most', () => {
    expect(rulesOf(asking('1', 'approver'), asking('3', 'lead'))).toMatchObject({ people: 3, roles: ['lead'] });
  });

  it('ask the roles that all of them allow', () => {
    const rule = rulesOf(asking('1', 'approver, lead'), asking('1', 'lead, responder'));
    expect(rule).toMatchObject({ people: 1, roles: ['lead'] });
  });

  it('ask two leads when no role would do for all of them', () => {
    expect(rulesOf(asking('1', 'approver'), asking('1', 'responder'))).toMatchObject({ people: 2, roles: ['lead'] });
    expect(rulesOf(asking('3', 'approver'), asking('3', 'responder'))).toMatchObject({ people: 3, roles: ['lead'] });
  });

  it('do not help against one that asks nobody', () => {
    const never = '@reason("no") forbid (principal, action == Action::"contain", resource);';
    expect(rulesOf(permit, asking('1', 'lead'), never)).toMatchObject({ people: 1, roles: [] });
  });
});

describe('a policy fails closed', () => {
  it('asks two leads where no rule speaks of the phase', () => {
    const policy = openPolicy({ 'test.cedar': permit }, roster);
    expect(policy.approvalFor({ ...question, phase: 'retire' })).toEqual({
      people: 2,
      roles: ['lead'],
      because: 'no policy lets the bot retire a credential like this',
    });
    expect(policy.triage(question)).toMatchObject({ verdict: 'tell' });
  });

  it('asks two leads when a rule cannot be evaluated, even beside a permit, and says which', () => {
    const overflow =
      '@id("sum") @reason("x") permit (principal, action == Action::"contain", resource)\n' +
      'when { 9223372036854775807 + (if context.braked then 0 else 1) > 0 };';
    const rule = rulesOf(permit, overflow);
    expect(rule).toMatchObject({ people: 2, roles: ['lead'] });
    expect(rule.because).toMatch(/could not be evaluated: sum: .*overflow/);
  });

  it('asks two leads when the question is not one that the schema knows', () => {
    const policy = openPolicy({ 'test.cedar': permit }, roster);
    const wrong = { ...question, severity: 7 } as unknown as PhaseQuestion;
    expect(policy.approvalFor(wrong)).toMatchObject({ people: 2, roles: ['lead'] });
    expect(policy.triage(wrong)).toMatchObject({ verdict: 'tell' });
  });
});

describe('a policy may look at where a credential is', () => {
  it('through tags', () => {
    const rule = (account: string): string =>
      `@reason("ours") permit (principal, action == Action::"contain", resource)
       when { resource.hasTag("account") && resource.getTag("account") == "${account}" };`;
    expect(rulesOf(rule('42')).people).toBe(0);
    expect(rulesOf(rule('43')).people).toBe(2);
  });
});

describe('a bad policy is refused when it is loaded', () => {
  const problemsOf = (text: string): readonly string[] => {
    try {
      openPolicy({ 'team.cedar': text }, roster);
      return [];
    } catch (error) {
      if (error instanceof BadPolicy) return error.problems;
      throw error;
    }
  };

  it.each([
    [
      'a syntax error, past characters of several bytes',
      '// é\n@reason("x") permit (principal, action, resource) whn { true };',
      [/^team\.cedar:2:51: .*whn/],
    ],
    [
      'an attribute that does not exist',
      '\n@reason("x")\npermit (principal, action == Action::"contain", resource) when { resource.protcted };',
      [/^team\.cedar:3:66: .*protcted.*did you mean `protected`/],
    ],
    [
      'an action that does not exist',
      '@reason("x") permit (principal, action == Action::"contian", resource);',
      [/^team\.cedar:1:43: .*contian/],
    ],
    [
      'a role that does not exist',
      '@reason("x") permit (principal in Role::"king", action == Action::"view", resource);',
      [/^team\.cedar:1:\d+: .*king/],
    ],
    ['a missing reason', 'permit (principal, action == Action::"view", resource);', [/^team\.cedar:1:1: @reason/]],
    [
      'a blank that nothing fills',
      '@reason("{colour}") permit (principal, action == Action::"view", resource);',
      [/\{colour\}/],
    ],
    ['people without roles', '@reason("x") @people("2") forbid (principal, action, resource);', [/belong together/]],
    ['a count that is none', `${permit}\n${asking('two', 'lead')}`, [/^team\.cedar:2:1: @people\("two"\)/]],
    ['roles that do not exist', asking('1', 'lead, king'), [/names "king"/]],
    ['an ask on a permit', permit.replace('permit', '@people("1") @roles("lead") permit'), [/not on a permit/]],
    [
      'an annotation that nothing reads',
      permit.replace('@reason', '@peeple("1") @reason'),
      [/^team\.cedar:1:1: @peeple is not known/],
    ],
    [
      'an id given twice',
      `@id("a") ${permit}\n@id("a") ${asking('1', 'lead')}`,
      [/@id\("a"\) is there more than once/],
    ],
    ['nothing at all', '// only words', [/no policy at all/]],
    ['a template', '@reason("x") permit (principal == ?principal, action, resource);', [/template/]],
  ])('%s', (_title, text, expected) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(problems[index]).toMatch(pattern);
  });

  it('with every problem at once', () => {
    expect(problemsOf(`${permit.replace('@reason("yes")', '')}\n${asking('x', 'king')}`)).toHaveLength(3);
  });
});

describe('a folder of policies', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tourniquet-policy-'));
  afterAll(() => rmSync(dir, { recursive: true }));

  it('replaces the default one', () => {
    writeFileSync(join(dir, 'a.cedar'), permit);
    writeFileSync(join(dir, 'b.cedar'), asking('1', 'lead'));
    writeFileSync(join(dir, 'notes.md'), 'not a policy');
    expect(loadPolicy(dir, roster).approvalFor(question)).toMatchObject({ people: 1, roles: ['lead'] });
  });

  it('is refused when it is not there or holds none', () => {
    expect(() => loadPolicy(join(dir, 'nowhere'), roster)).toThrow(/cannot be read/);
    const empty = mkdtempSync(join(dir, 'empty-'));
    expect(() => loadPolicy(empty, roster)).toThrow(/holds no \.cedar file/);
  });
});
