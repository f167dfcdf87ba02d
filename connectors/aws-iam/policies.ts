import type { JsonObject } from '#tourniquet';
import type { Capacity } from './client.ts';
import { SINK_PERMISSIONS } from './secrets-manager.ts';

/** What the policies are made from: operations say what they need. */
export type Needs = Readonly<Record<string, { readonly permissions: readonly string[] }>>;

/** What cannot be taken back, or gives someone new powers: in the second role, assumed after approval only. */
const CHANGES: readonly string[] = ['iam:CreateAccessKey', 'iam:DeleteAccessKey'];

/** So that `tourniquet doctor` can say which permissions are missing; it reads only. */
const FOR_DOCTOR = { contain: ['iam:SimulatePrincipalPolicy'], change: [] } as const;

/** Everything that one identity of the bot needs, sorted, from what the operations say of themselves. */
export function permissionsFor(capacity: Capacity, operations: Needs): readonly string[] {
  const all = Object.values(operations).flatMap(({ permissions }) => permissions);
  const mine = all.filter((permission) => CHANGES.includes(permission) === (capacity === 'change'));
  return [...new Set([...mine, ...SINK_PERMISSIONS[capacity], ...FOR_DOCTOR[capacity]])].sort();
}

/** CloudTrail's look-up knows no resources. */
const WITHOUT_RESOURCE = ['cloudtrail:LookupEvents'];

/**
 * The least-privilege policy of one identity of the bot in `account`, as JSON for `aws iam put-role-policy`. Give
 * `secrets` the ARNs of the sinks, or leave it empty where none is used.
 */
export function policyDocument(
  capacity: Capacity,
  operations: Needs,
  { account, secrets }: { readonly account: string; readonly secrets: readonly string[] },
): JsonObject {
  const needed = permissionsFor(capacity, operations);
  const of = (service: string): string[] => needed.filter((permission) => permission.startsWith(`${service}:`));
  const allow = (sid: string, Action: readonly string[], Resource: readonly string[]) =>
    Action.length === 0 || Resource.length === 0 ? [] : [{ Sid: sid, Effect: 'Allow', Action, Resource }];
  return {
    Version: '2012-10-17',
    Statement: [
      ...allow('Identities', of('iam'), [
        `arn:aws:iam::${account}:user/*`,
        `arn:aws:iam::${account}:role/*`,
        `arn:aws:iam::${account}:group/*`,
      ]),
      ...allow(
        'Activity',
        needed.filter((permission) => WITHOUT_RESOURCE.includes(permission)),
        ['*'],
      ),
      ...allow('Sinks', of('secretsmanager'), secrets),
    ],
  };
}
