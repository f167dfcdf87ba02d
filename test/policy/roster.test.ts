import { describe, expect, it } from 'vitest';
import { BadFile } from '../../src/policy/json-file.ts';
import { openRoster, parsePeople } from '../../src/policy/roster.ts';

const ana = { id: 'ana', name: 'Ana', email: 'ana@example.com', roles: ['lead'], slack: 'U012AB', cli: 'ana' };
const ben = { id: 'ben', name: 'Ben', roles: ['responder', 'approver'], console: 'local' };
const parse = (people: unknown) => parsePeople(JSON.stringify(people), 'people.json');

const problemsOf = (text: string): readonly string[] => {
  try {
    parsePeople(text, 'people.json');
    return [];
  } catch (error) {
    if (error instanceof BadFile) return error.problems;
    throw error;
  }
};

describe('the people file', () => {
  it('maps every way in to a person', () => {
    const roster = openRoster(parse([ana, ben]));
    expect(roster.find('slack:U012AB')).toMatchObject({ id: 'ana', email: 'ana@example.com', roles: ['lead'] });
    expect(roster.find('cli:ana')?.id).toBe('ana');
    expect(roster.find('console:local')?.id).toBe('ben');
  });

  it('makes whoever is not listed nobody', () => {
    const roster = openRoster(parse([ana]));
    for (const authn of ['slack:U999', 'console:local', 'ana', 'cli:', '', 'cli:Ana'])
      expect(roster.find(authn)).toBeUndefined();
  });

  it.each([
    ['not JSON', '[\n  { "id": }\n]', [/^people\.json:2:11: this is not JSON: a value was expected/]],
    ['cut off', '[{', [/^people\.json:1:3: this is not JSON/]],
    ['not a list', '{}', [/^people\.json:1:1: .*array/]],
    ['a number that is none', '[1.2.3]', [/^people\.json: this is not JSON/]],
    ['one name given twice', '[{ "id": "a",\n  "id": "b" }]', [/^people\.json:2:3: .*"id" is given twice/]],
    [
      'an unknown role',
      JSON.stringify([ana, { ...ben, roles: ['king'] }]),
      [/^people\.json:1:\d+: \[1\]\.roles\[0\]: /],
    ],
    ['a misspelt field', JSON.stringify([{ ...ben, slak: 'U1' }]), [/^people\.json:1:2: \[0\]: .*slak/]],
    ['a Slack name in place of the id', JSON.stringify([{ ...ben, slack: '@ben' }]), [/\[0\]\.slack: must be a Slack/]],
    ['several mistakes', JSON.stringify([{ id: 'A!', name: '', roles: [] }]), [/\.id: must/, /\.name: /]],
    ['two people with one id', JSON.stringify([ana, { ...ben, id: 'ana' }]), [/the id ana belongs to Ana and Ben/]],
    [
      'two people with one way in',
      JSON.stringify([ana, { ...ben, slack: 'U012AB' }]),
      [/the way in slack:U012AB belongs to Ana and Ben/],
    ],
  ])('is refused when it is %s', (_title, text, expected) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(expected.length);
    for (const [index, pattern] of expected.entries()) expect(problems[index]).toMatch(pattern);
  });
});

describe('a roster', () => {
  it('refuses two people who could be taken for each other', () => {
    const [first] = parse([ana]);
    expect(first).toBeDefined();
    expect(() => openRoster(first ? [first, { ...first, id: 'other', name: 'Other' }] : [])).toThrow(/cli:ana belongs/);
  });
});
