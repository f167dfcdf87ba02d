import type { ApprovalRule } from '../core/plan.ts';
import { type CompiledPolicies, compile, type PolicyTexts } from './compile.ts';
import type { Person, PersonAction, PhaseQuestion, Policy, Role, Roster } from './policy.ts';
import { actQuestion, type FindingQuestion, personQuestion, phaseQuestion } from './question.ts';
import { type Ask, ROLES, type Rule, reasonFor } from './rule.ts';

/**
 * Makes a policy of Cedar texts (file name → text). `roster` tells which roles a requester has; someone who is not on it
 * counts as a person without any. Throws BadPolicy, with file, line and column, for everything that is wrong with a text.
 */
export function openPolicy(texts: PolicyTexts, roster: Roster): Policy {
  const policies = compile(texts);
  const requesterOf = ({ requestedBy }: FindingQuestion): Person | undefined =>
    requestedBy === undefined
      ? undefined
      : (roster.people.find(({ id }) => id === requestedBy) ?? { id: requestedBy, name: '', roles: [], authn: [] });
  return {
    sha256: policies.sha256,
    triage(question) {
      const answer = policies.ask(actQuestion(question, requesterOf(question)));
      if (answer.decision === 'error') return { verdict: 'tell', because: notEvaluated(answer.error) };
      const verdict = answer.decision === 'allow' ? 'act' : 'tell';
      return {
        verdict,
        because: reasonsOf(answer.rules, question) || 'no policy lets a finding like this lead to action',
      };
    },
    approvalFor: (question) => approvalFor(policies, question, requesterOf(question)),
    may: (person, action, rule) => may(policies, person, action, rule),
  };
}

function approvalFor(policies: CompiledPolicies, question: PhaseQuestion, requester: Person | undefined): ApprovalRule {
  const answer = policies.ask(phaseQuestion(question, requester));
  if (answer.decision === 'error') return twoLeads(notEvaluated(answer.error));
  const because = reasonsOf(answer.rules, question);
  if (answer.decision === 'allow') return { people: 0, roles: [], because };
  if (answer.rules.length === 0) return twoLeads(`no policy lets the bot ${question.phase} a credential like this`);
  const asks = answer.rules.flatMap(({ ask }) => ask ?? []);
  // A forbid that asks nobody cannot be lifted: one person of no role at all never comes.
  if (asks.length < answer.rules.length) return { people: 1, roles: [], because: `nobody may allow this: ${because}` };
  return strictest(asks, because);
}

/** Of several rules, the one that asks most people; of equals, the roles that all of them allow. */
function strictest(asks: readonly Ask[], because: string): ApprovalRule {
  const people = Math.max(...asks.map((ask) => ask.people));
  const most = asks.filter((ask) => ask.people === people);
  const roles = ROLES.filter((role) => most.every((ask) => ask.roles.includes(role)));
  if (roles.length > 0) return { people, roles, because };
  return twoLeads(`${because}; the policies ask different roles, so leads decide`, people);
}

const twoLeads = (because: string, people = 2): ApprovalRule => ({
  people: Math.max(2, people),
  roles: ['lead'],
  because,
});

const notEvaluated = (error: string): string => `the policies could not be evaluated: ${error}`;

const reasonsOf = (rules: readonly Rule[], question: FindingQuestion): string =>
  rules.map((rule) => reasonFor(rule, question)).join('; ');

function may(policies: CompiledPolicies, person: Person, action: PersonAction, rule: ApprovalRule | undefined): May {
  const asked = rule?.roles ?? [];
  const answer = policies.ask(personQuestion(person, action, asked));
  if (answer.decision === 'error') return { ok: false, because: notEvaluated(answer.error) };
  if (answer.decision === 'allow') return { ok: true, because: answer.rules.map(({ reason }) => reason).join('; ') };
  const able = ROLES.filter((role) => {
    const someone: Person = { id: 'someone', name: '', roles: [role], authn: [] };
    return policies.ask(personQuestion(someone, action, asked)).decision === 'allow';
  });
  const refusal = `${person.name} (${person.roles.join(', ') || 'no role'}) may not ${action}`;
  return { ok: false, because: able.length > 0 ? `${refusal}: it takes ${oneOf(able)}` : `${refusal}: nobody may` };
}

type May = ReturnType<Policy['may']>;

const oneOf = (roles: readonly Role[]): string =>
  new Intl.ListFormat('en', { type: 'disjunction' }).format(
    roles.map((role) => `${/^[aeiou]/.test(role) ? 'an' : 'a'} ${role}`),
  );
