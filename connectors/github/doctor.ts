import { z } from 'zod';
import { type Ctx, type DoctorCheck, Failure } from '#tourniquet';
import type { GithubClient } from './client.ts';
import type { Level, PermissionMap } from './permissions.ts';

const granted = z.record(z.string(), z.string());
const appAnswer = z.object({ name: z.string(), html_url: z.string(), permissions: granted }).nullable();
const installationsAnswer = z.array(
  z.object({
    id: z.int(),
    account: z.object({ login: z.string() }).nullable(),
    permissions: granted,
    suspended_at: z.string().nullable(),
  }),
);

const RANK: Readonly<Record<string, number>> = { read: 1, write: 2, admin: 3 };
const rank = (level: Level | string | undefined): number => RANK[level ?? ''] ?? 0;
const spelled = (entries: readonly (readonly [string, string])[]) =>
  entries.map(([name, level]) => `${name}:${level}`).join(', ');

/** What `given` lacks of `required`, and what it has beyond. `metadata` comes with every app and is never too much. */
export function comparePermissions(name: string, given: Readonly<Record<string, string>>, required: PermissionMap) {
  const checks: DoctorCheck[] = [];
  const lacking = Object.entries(required).filter(([permission, level]) => rank(given[permission]) < rank(level));
  const beyond = Object.entries(given).filter(
    ([permission, level]) => permission !== 'metadata' && rank(level) > rank(required[permission]),
  );
  if (lacking.length > 0)
    checks.push({ name, state: 'missing', detail: `Not given: ${spelled(lacking)}. What needs it will be refused.` });
  if (beyond.length > 0)
    checks.push({ name, state: 'too-much', detail: `Given but never used: ${spelled(beyond)}. Take it away.` });
  if (checks.length === 0) checks.push({ name, state: 'ok', detail: spelled(Object.entries(required)) });
  return checks;
}

/** Which app or token we are, and what it may do against what the operations declare. Reads only. */
export async function doctor(ctx: Ctx<GithubClient>, required: PermissionMap): Promise<readonly DoctorCheck[]> {
  const webhook: DoctorCheck = {
    name: 'webhook',
    state: 'unknown',
    detail: 'Only GitHub can tell whether it reaches us: see "Recent deliveries" on the page of the webhook.',
  };
  const identity = ctx.client.settings.GITHUB_APP_ID === undefined ? ofToken(ctx) : ofApp(ctx, required);
  return [...(await identity.catch(reported)), webhook];
}

const reported = (error: unknown): readonly DoctorCheck[] => {
  if (!(error instanceof Failure)) throw error;
  return [{ name: 'identity', state: error.code === 'denied' ? 'missing' : 'unknown', detail: error.message }];
};

async function ofToken({ client, ...scope }: Ctx<GithubClient>): Promise<readonly DoctorCheck[]> {
  const who = { as: 'holder' as const, token: client.settings.GITHUB_TOKEN ?? '' };
  const ask = { who, needs: null, answer: z.object({ login: z.string() }) };
  const { data, headers } = await client.ask(scope, ask, (rest, o) => rest.users.getAuthenticated(o));
  const scopes = headers['x-oauth-scopes'];
  return [
    {
      name: 'identity',
      state: 'warning',
      detail: `GITHUB_TOKEN is a long-lived token of ${data.login}: it can leak like any other, and it dies with that account. Use a GitHub App.`,
    },
    {
      name: 'permissions',
      state: 'unknown',
      detail: scopes ? `The token has the scopes ${scopes}.` : 'GitHub does not tell what a fine-grained token may do.',
    },
  ];
}

async function ofApp(
  { client, ...scope }: Ctx<GithubClient>,
  required: PermissionMap,
): Promise<readonly DoctorCheck[]> {
  const who = { as: 'app' as const };
  const app = (
    await client.ask(scope, { who, needs: null, answer: appAnswer }, (rest, o) => rest.apps.getAuthenticated(o))
  ).data;
  if (app === null) throw new Failure('garbled', 'GitHub says that the app is nobody.');
  const ask = { who, needs: null, answer: installationsAnswer };
  const { data: installations } = await client.ask(scope, ask, (rest, o) =>
    rest.apps.listInstallations({ per_page: 100, ...o }),
  );
  const unused: DoctorCheck[] = client.settings.GITHUB_TOKEN
    ? [{ name: 'token', state: 'warning', detail: 'GITHUB_TOKEN is set beside the app and not used: remove it.' }]
    : [];
  const nowhere: DoctorCheck[] =
    installations.length === 0
      ? [
          {
            name: 'installations',
            state: 'missing',
            detail: 'The app is installed nowhere: install it on your organisation.',
          },
        ]
      : [];
  return [
    { name: 'identity', state: 'ok', detail: `GitHub App ${app.name} (${app.html_url})` },
    ...comparePermissions('permissions of the app', app.permissions, required),
    ...nowhere,
    ...installations.flatMap(({ id, account, permissions, suspended_at }) => {
      const name = `installation on ${account?.login ?? id}`;
      if (suspended_at === null) return comparePermissions(name, permissions, required);
      const detail = `Suspended since ${suspended_at}: nothing can be done there until it is lifted.`;
      return [{ name, state: 'warning' as const, detail }];
    }),
    ...unused,
  ];
}
