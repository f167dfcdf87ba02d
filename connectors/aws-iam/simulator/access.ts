import { z } from 'zod';
import type { Caller, SimAccount, SimPrincipal } from './state.ts';

const strings = z.union([z.string(), z.array(z.string())]).transform((given) => [given].flat());
const policy = z.object({
  Statement: z.array(
    z.object({
      Effect: z.enum(['Allow', 'Deny']),
      Action: strings,
      Condition: z.strictObject({ DateLessThan: z.strictObject({ 'aws:TokenIssueTime': z.string() }) }).optional(),
    }),
  ),
});
type Statement = z.output<typeof policy>['Statement'][number];

/** AWS-managed policies that the simulator knows. */
const MANAGED: Readonly<Record<string, Statement>> = {
  AdministratorAccess: { Effect: 'Allow', Action: ['*'] },
};

/** Whether a text is a policy document that IAM would take, as far as the simulator can evaluate it. */
export function isPolicy(text: string): boolean {
  try {
    return policy.safeParse(JSON.parse(text)).success;
  } catch {
    return false;
  }
}

/** Everything that is attached to a principal, through its groups too. */
export function statementsOf(account: SimAccount, principal: SimPrincipal): readonly Statement[] {
  const groups = [...(principal.groups ?? [])].flatMap((name) => account.groups.get(name) ?? []);
  return [principal, ...groups].flatMap(({ policies, attached }) => [
    ...[...policies.values()].flatMap((text) => policy.parse(JSON.parse(text)).Statement),
    ...[...attached].flatMap((name) => MANAGED[name] ?? []),
  ]);
}

export type Decision = 'allowed' | 'explicitDeny' | 'implicitDeny';

/** IAM's evaluation for identity policies, resources left out: an explicit deny wins, then an allow. */
export function evaluate(statements: readonly Statement[], action: string, issuedAt: Date | null): Decision {
  const matching = statements.filter((statement) => covers(statement, action) && holds(statement, issuedAt));
  if (matching.some(({ Effect }) => Effect === 'Deny')) return 'explicitDeny';
  return matching.some(({ Effect }) => Effect === 'Allow') ? 'allowed' : 'implicitDeny';
}

export const may = (caller: Caller, action: string): Decision =>
  evaluate(statementsOf(caller.account, caller.principal), action, caller.issuedAt);

const covers = ({ Action }: Statement, action: string): boolean =>
  Action.some((pattern) => new RegExp(`^${pattern.replaceAll('*', '.*')}$`, 'i').test(action));

/** A long-term key has no aws:TokenIssueTime, and DateLessThan does not match what is absent. */
const holds = ({ Condition }: Statement, issuedAt: Date | null): boolean =>
  !Condition || (issuedAt !== null && issuedAt < new Date(Condition.DateLessThan['aws:TokenIssueTime']));
