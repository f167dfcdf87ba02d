import { describe, expect, it } from 'vitest';
import { explain } from '../../src/policy/explain.ts';
import { defaultTexts } from '../../src/policy/load.ts';
import { openPolicy } from '../../src/policy/open.ts';
import { openRoster } from '../../src/policy/roster.ts';
import { storyOf } from '../report/story.ts';

const roster = openRoster([]);
const texts = defaultTexts();
const { opened, response } = storyOf().incident.runs[0]?.state ?? {};
if (!opened || !response) throw new Error('the story has no plan');
const policySha256 = openPolicy(texts, roster).sha256;
const decided = { plan: response.plan, opened, holding: {}, policySha256 };

describe('explaining what policy decided', () => {
  it('names the rules of each phase, and says that nothing changed', () => {
    const { recorded, today, phases } = explain(decided, texts, roster);
    expect(recorded).toBe(today);
    expect(phases.map(({ phase, same, rules }) => [phase, same, rules.map(({ id }) => id)])).toEqual([
      ['contain', true, ['contain-public', 'contain-severe', 'contain-active']],
      ['rotate', true, ['replace']],
      ['retire', true, ['replace']],
    ]);
    expect(phases[0]?.rules[0]?.reason).toBe('anyone can read it');
  });

  it('says where today’s policy would decide otherwise', () => {
    const stricter = {
      ...texts,
      'more.cedar':
        '@id("careful") @reason("we are careful now") @people("2") @roles("lead") forbid (principal, action == Action::"contain", resource);',
    };
    const { recorded, today, phases } = explain(decided, stricter, roster);
    expect(recorded).not.toBe(today);
    expect(phases.map(({ phase, same }) => [phase, same])).toEqual([
      ['contain', false],
      ['rotate', true],
      ['retire', true],
    ]);
    expect(phases[0]).toMatchObject({ recorded: { answer: 'do it' }, today: { answer: 'ask', people: 2 } });
    expect(phases[0]?.rules).toEqual([{ id: 'careful', reason: 'we are careful now' }]);
  });

  it('also says so when what is known of the credential changed', () => {
    const { phases } = explain({ ...decided, holding: { protected: 'break-glass' } }, texts, roster);
    expect(phases.map(({ same }) => same)).toEqual([false, false, false]);
  });

  it('recognises what the brake decided', () => {
    const braked = { people: 1, roles: ['responder', 'lead', 'approver'], because: 'the brake is on' };
    const plan = {
      ...decided.plan,
      phases: decided.plan.phases.map((each) => (each.phase === 'contain' ? { ...each, approval: braked } : each)),
    };
    const [contain] = explain({ ...decided, plan }, texts, roster).phases;
    expect(contain).toMatchObject({ same: true, braked: true });
    expect(contain?.rules.map(({ id }) => id)).toEqual(['contain-braked']);
  });
});
