import { z } from 'zod';
import type { ApprovalRule } from '../core/plan.ts';
import type { PolicyTexts } from './compile.ts';
import { parseJsonFile } from './json-file.ts';
import { openPolicy } from './open.ts';
import type { Person, PhaseQuestion, Policy, Role } from './policy.ts';
import type { FindingQuestion } from './question.ts';
import { openRoster } from './roster.ts';
import { ROLES } from './rule.ts';

const role = z.enum(ROLES);
const text = z.string().min(1);

/** What is asked, but for what the file's `given` says already. */
const asked = z.strictObject({
  /** Without it, whether a finding leads to action at all. */
  phase: z.enum(['assess', 'contain', 'rotate', 'retire']).optional(),
  effects: z.array(z.enum(['observe', 'reversible', 'irreversible'])).optional(),
  kind: text.optional(),
  id: text.optional(),
  where: z.record(z.string(), z.json()).optional(),
  environment: text.optional(),
  owner: text.optional(),
  protected: text.optional(),
  honeytoken: z.boolean().optional(),
  severity: z.enum(['critical', 'high', 'medium', 'low']).optional(),
  exposure: z.enum(['public', 'internal', 'anomaly', 'unknown']).optional(),
  validity: z.enum(['active', 'inactive', 'unknown']).optional(),
  braked: z.boolean().optional(),
  /** The roles of the person who asked for it; without it, an alert did. */
  requester: z.array(role).optional(),
});
type Asked = z.infer<typeof asked>;

const expected = z.discriminatedUnion('answer', [
  z.strictObject({ answer: z.literal('do it') }),
  z.strictObject({ answer: z.literal('tell') }),
  z.strictObject({
    answer: z.literal('ask'),
    people: z.number().int().min(1).max(9).optional(),
    roles: z.array(role).min(1).optional(),
  }),
]);
export type Expected = z.infer<typeof expected>;

const file = z.strictObject({
  given: asked.default({}),
  cases: z.array(asked.extend({ name: text, expect: expected })).min(1, 'there is no case'),
});
export type PolicyCases = z.infer<typeof file>;

/** What a policy answers: *do it*, *ask* N people of these roles, or *tell* people because nobody may say yes. */
export type Answer = { readonly because: string } & (
  | { readonly answer: 'do it' | 'tell' }
  | { readonly answer: 'ask'; readonly people: number; readonly roles: readonly string[] }
);

export interface CaseResult {
  readonly name: string;
  readonly ok: boolean;
  readonly expected: Expected;
  readonly got: Answer;
}

/**
 * Reads a file of cases: `{ "given": { … }, "cases": [{ "name", …, "expect": { "answer": "do it" | "ask" | "tell", people?, roles? } }] }`,
 * where `given` holds for every case that does not say otherwise. Throws BadFile with every problem and its place.
 */
export const parseCases = (json: string, name: string): PolicyCases => parseJsonFile(json, name, file);

/** Asks the policy in `texts` every case. Throws BadPolicy when it cannot be used. */
export function runCases(texts: PolicyTexts, table: PolicyCases): readonly CaseResult[] {
  const policy = openPolicy(texts, openRoster(requestersIn(table)));
  const { given, cases } = table;
  return cases.map(({ name, expect, ...changes }) => {
    const got = ask(policy, { ...given, ...changes });
    return { name, ok: fits(got, expect), expected: expect, got };
  });
}

/** Whoever asks in a case: a person for each set of roles. */
function requestersIn({ given, cases }: PolicyCases): readonly Person[] {
  const sets = [given, ...cases].flatMap(({ requester }) => (requester === undefined ? [] : [requester]));
  const byId = new Map(sets.map((roles) => [idOf(roles), { id: idOf(roles), name: idOf(roles), roles, authn: [] }]));
  return [...byId.values()];
}

function idOf(roles: readonly Role[]): string {
  return `someone:${ROLES.filter((each) => roles.includes(each)).join('+')}`;
}

function ask(policy: Policy, asked: Asked): Answer {
  const { phase, effects = ['observe'] } = asked;
  const question = questionOf(asked);
  if (phase !== undefined) return answerOf(policy.approvalFor({ ...question, phase, effects }));
  const { verdict, because } = policy.triage(question);
  return { answer: verdict === 'act' ? 'do it' : 'tell', because };
}

function questionOf({ kind = 'any.kind', id = 'any', where = {}, requester, ...asked }: Asked): FindingQuestion {
  const { severity = 'medium', exposure = 'unknown', validity = 'unknown', braked = false } = asked;
  const { environment, owner, honeytoken } = asked;
  return {
    credential: { kind, id, where },
    holding: {
      ...(environment === undefined ? {} : { environment }),
      ...(owner === undefined ? {} : { owner }),
      ...(honeytoken === undefined ? {} : { honeytoken }),
      ...(asked.protected === undefined ? {} : { protected: asked.protected }),
    },
    severity,
    exposure,
    validity,
    braked,
    ...(requester === undefined ? {} : { requestedBy: idOf(requester) }),
  } satisfies Omit<PhaseQuestion, 'phase' | 'effects'>;
}

/** A rule in the three words that people use for it. One that no role can satisfy is never asked of anybody. */
export function answerOf({ people, roles, because }: ApprovalRule): Answer {
  if (people === 0) return { answer: 'do it', because };
  return roles.length === 0 ? { answer: 'tell', because } : { answer: 'ask', people, roles, because };
}

function fits(got: Answer, expected: Expected): boolean {
  if (got.answer !== 'ask' || expected.answer !== 'ask') return got.answer === expected.answer;
  const roles = expected.roles ?? got.roles;
  const same = roles.length === got.roles.length && roles.every((each) => got.roles.includes(each));
  return same && (expected.people ?? got.people) === got.people;
}

/** `do it`, `tell people`, `ask 2 of lead or approver`. */
export function answerWords(answer: Expected | Answer): string {
  switch (answer.answer) {
    case 'do it':
      return 'do it';
    case 'tell':
      return 'tell people';
    case 'ask': {
      const roles = answer.roles === undefined ? 'any role' : answer.roles.join(' or ');
      return `ask ${answer.people ?? 'people'} of ${roles}`;
    }
  }
}
