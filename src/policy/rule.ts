import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { PhaseQuestion, Role } from './policy.ts';

export const ROLES = ['responder', 'lead', 'approver', 'auditor'] as const satisfies readonly Role[];
export const isRole = (text: string): text is Role => ROLES.some((role) => role === text);

/** Which people a `forbid` asks, from its annotations @people and @roles. */
export interface Ask {
  readonly people: number;
  readonly roles: readonly Role[];
}

/** One Cedar policy with what its annotations say to people and to us. */
export interface Rule {
  /** From @id, or the file and its place in it. Unique among all texts. */
  readonly id: string;
  readonly text: string;
  readonly reason: string;
  /** Absent from a permit, and from a forbid that nobody can lift. */
  readonly ask?: Ask;
}

const KNOWN = ['id', 'reason', 'people', 'roles'];
const BLANKS = ['severity', 'exposure', 'validity', 'kind', 'environment', 'owner', 'protected'];
const BLANK = /\{([^}]*)\}/g;

/** Reads the annotations of one policy. Answers with what is wrong with them, in words, when they make no rule. */
export function ruleOf(text: string, fallbackId: string): { readonly rule: Rule } | { readonly wrong: string[] } {
  const parsed = policyToJson(text);
  if (parsed.type === 'failure') return { wrong: parsed.errors.map(({ message }) => message) };
  const { annotations = {}, effect } = parsed.json;
  const { id = fallbackId, reason, people, roles } = annotations;
  const asks = roles?.split(',').map((role) => role.trim()) ?? [];
  const asked = asks.filter(isRole);
  const wrong: string[] = [];
  for (const name of Object.keys(annotations).filter((each) => !KNOWN.includes(each)))
    wrong.push(`@${name} is not known; there are @id, @reason, @people and @roles`);
  if (!reason) wrong.push('@reason("…") is missing: people are shown why');
  for (const [, blank = ''] of (reason ?? '').matchAll(BLANK))
    if (!BLANKS.includes(blank)) wrong.push(`@reason holds {${blank}}; it may hold ${BLANKS.join(', ')}`);
  if ((people === undefined) !== (roles === undefined)) wrong.push('@people and @roles belong together');
  if (people !== undefined && effect === 'permit') wrong.push('@people and @roles stand on a forbid, not on a permit');
  if (people !== undefined && !/^[1-9]$/.test(people)) wrong.push(`@people("${people}") must be a number from 1 to 9`);
  for (const role of asks.filter((each) => !isRole(each)))
    wrong.push(`@roles names "${role}"; the roles are ${ROLES.join(', ')}`);
  if (wrong.length > 0) return { wrong };
  const rule = { id, text, reason: reason ?? '' };
  return { rule: people === undefined ? rule : { ...rule, ask: { people: Number(people), roles: asked } } };
}

/** A rule's reason for this question, in words for people. */
export const reasonFor = (rule: Rule, question: Omit<PhaseQuestion, 'phase' | 'effects'> | null): string =>
  rule.reason.replace(BLANK, (_whole, blank: string) => {
    switch (blank) {
      case 'severity':
      case 'exposure':
      case 'validity':
        return question?.[blank] ?? '';
      case 'kind':
        return question?.credential.kind ?? '';
      case 'environment':
      case 'owner':
      case 'protected':
        return question?.holding[blank] ?? 'unknown';
      default:
        return '';
    }
  });
