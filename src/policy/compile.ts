import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  type DetailedError,
  policySetTextToParts,
  preparsePolicySet,
  preparseSchema,
  type SourceLabel,
  type StatefulAuthorizationCall,
  statefulIsAuthorized,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs';
import canonicalize from 'canonicalize';
import { type Rule, ruleOf } from './rule.ts';

const SCHEMA = readFileSync(new URL('./schema.cedarschema', import.meta.url), 'utf8');

/** Cedar texts by file name. */
export type PolicyTexts = Readonly<Record<string, string>>;

/** Policies that must not be used. Each problem says file, line and column, and what is wrong there. */
export class BadPolicy extends Error {
  override readonly name = 'BadPolicy';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** What Cedar is asked, without what stays the same from question to question. */
export type CedarQuestion = Pick<
  StatefulAuthorizationCall,
  'principal' | 'action' | 'resource' | 'context' | 'entities'
>;

/** `rules`: those that settled it; none when no rule speaks of it. `error`: it could not be evaluated as a whole. */
export type CedarAnswer =
  | { readonly decision: 'allow' | 'deny'; readonly rules: readonly Rule[] }
  | { readonly decision: 'error'; readonly error: string };

export interface CompiledPolicies {
  readonly sha256: string;
  readonly rules: readonly Rule[];
  /** Total: an error in any policy, even one that would not have mattered, is an error of the answer. */
  readonly ask: (question: CedarQuestion) => CedarAnswer;
}

/** Parses, validates against the schema, and prepares `texts`. Throws BadPolicy with everything that is wrong with them. */
export function compile(texts: PolicyTexts): CompiledPolicies {
  const files = Object.entries(texts).map(([file, text]) => ({ file, text, ...rulesIn(file, text) }));
  const rules = files.flatMap((each) => each.rules);
  const problems = [...files.flatMap((each) => each.problems), ...duplicates(rules)];
  if (problems.length === 0 && rules.length === 0)
    problems.push('There is no policy at all: nothing would be permitted');
  if (problems.length > 0) throw new BadPolicy(problems);
  const policies = Object.fromEntries(rules.map(({ id, text }) => [id, text]));
  const sha256 = createHash('sha256')
    .update(canonicalize({ schema: SCHEMA, policies }) ?? '')
    .digest('hex');
  prepare(sha256, policies);
  return { sha256, rules, ask: (question) => ask(sha256, rules, question) };
}

function prepare(name: string, policies: Record<string, string>): void {
  for (const answer of [preparseSchema(name, SCHEMA), preparsePolicySet(name, { staticPolicies: policies })])
    if (answer.type === 'failure') throw new BadPolicy(answer.errors.map(({ message }) => message));
}

function ask(name: string, rules: readonly Rule[], question: CedarQuestion): CedarAnswer {
  const prepared = { preparsedSchemaName: name, preparsedPolicySetId: name, validateRequest: true };
  try {
    const answer = statefulIsAuthorized({ ...question, ...prepared });
    if (answer.type === 'failure') return { decision: 'error', error: answer.errors.map(textOf).join('; ') };
    const { decision, diagnostics } = answer.response;
    if (diagnostics.errors.length > 0)
      return {
        decision: 'error',
        error: diagnostics.errors
          .map(({ policyId, error }) => `${policyId}: ${textOf(error)}`)
          .sort()
          .join('; '),
      };
    // In the order in which they were written: Cedar's varies, and the reasons are part of the plan that people approve.
    return { decision, rules: rules.filter(({ id }) => diagnostics.reason.includes(id)) };
  } catch (error) {
    // WebAssembly traps as an exception; an answer must come all the same, and it must not be yes.
    return { decision: 'error', error: error instanceof Error ? error.message : String(error) };
  }
}

function rulesIn(file: string, text: string): { rules: Rule[]; problems: string[] } {
  const answer = validate({
    schema: SCHEMA,
    policies: { staticPolicies: text },
    validationSettings: { mode: 'strict' },
  });
  const errors =
    answer.type === 'failure' ? answer.errors.flatMap(withRelated) : answer.validationErrors.map(({ error }) => error);
  const problems = errors.map((error) => `${file}${placeOf(text, error.sourceLocations)}: ${textOf(error)}`);
  const parts = policySetTextToParts(text);
  if (parts.type === 'failure') return { rules: [], problems };
  const rules: Rule[] = [];
  const inOrder = parts.policies.map((part) => ({ part, at: text.indexOf(part) })).sort((a, b) => a.at - b.at);
  for (const [index, { part, at }] of inOrder.entries()) {
    const read = ruleOf(part, `${file}#${index + 1}`);
    if ('rule' in read) rules.push(read.rule);
    else problems.push(...read.wrong.map((what) => `${file}${lineColumn(text.slice(0, at))}: ${what}`));
  }
  return { rules, problems };
}

function duplicates(rules: readonly Rule[]): string[] {
  const ids = rules.map(({ id }) => id);
  return [...new Set(ids.filter((id, index) => ids.indexOf(id) !== index))].map(
    (id) => `@id("${id}") is there more than once: entries of the ledger could not tell which rule decided`,
  );
}

const withRelated = (error: DetailedError): DetailedError[] => [error, ...(error.related ?? []).flatMap(withRelated)];

const textOf = ({ message, help }: DetailedError): string => {
  const plain = message.replace('failed to parse policies from string: ', '').replace(/^for policy `[^`]*`, /, '');
  return help ? `${plain} (${help})` : plain;
};

/** Cedar counts UTF-8 bytes. */
function placeOf(text: string, [label]: readonly SourceLabel[] = []): string {
  return label ? lineColumn(Buffer.from(text).subarray(0, label.start).toString()) : '';
}

const lineColumn = (before: string): string =>
  `:${before.split('\n').length}:${before.length - before.lastIndexOf('\n')}`;
