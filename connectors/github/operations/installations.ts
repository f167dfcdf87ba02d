import { z } from 'zod';
import type { Ctx } from '#tourniquet';
import { type GithubClient, noContent } from '../client.ts';
import { installationRef } from '../kinds.ts';
import { DOCS, op } from './op.ts';

type Ref = z.infer<typeof installationRef>;
const installationAnswer = z.object({
  account: z.object({ login: z.string() }).nullable(),
  permissions: z.record(z.string(), z.string()),
  repository_selection: z.string(),
  suspended_at: z.string().nullable(),
});
const who = { as: 'app' as const };

const read = async ({ client, ...scope }: Ctx<GithubClient>, { installationId }: Ref) => {
  const ask = { who, needs: null, answer: installationAnswer };
  const call = await client.ask(scope, ask, (rest, o) =>
    rest.apps.getInstallation({ installation_id: installationId, ...o }),
  );
  return call.data;
};

const suspended = async (ctx: Ctx<GithubClient>, ref: Ref): Promise<boolean> =>
  (await read(ctx, ref)).suspended_at !== null;

/** Suspends or lifts. GitHub may refuse what is so already, which is as good as done. */
async function set(ctx: Ctx<GithubClient>, ref: Ref, wanted: boolean): Promise<null> {
  const { client, ...scope } = ctx;
  const reply = await client.send(scope, { who, needs: null, answer: noContent }, (rest, o) => {
    const given = { installation_id: ref.installationId, ...o };
    return wanted ? rest.apps.suspendInstallation(given) : rest.apps.unsuspendInstallation(given);
  });
  if (reply.ok) return null;
  const final = ['conflict', 'invalid', 'missing'].includes(reply.failure.code);
  if (!final || (await suspended(ctx, ref)) !== wanted) throw reply.failure;
  return null;
}

const change = { permissions: [], bucket: 'write', input: installationRef };

export const installationOperations = {
  describeInstallation: op.observe({
    title: 'Read an installation of our app: on whose account, with which permissions',
    permissions: [],
    docs: `${DOCS.installations}#get-an-installation-for-the-authenticated-app`,
    bucket: 'read',
    input: installationRef,
    run: async (ctx, ref) => {
      const { account, permissions, repository_selection, suspended_at } = await read(ctx, ref);
      return {
        account: account?.login ?? null,
        permissions,
        allRepositories: repository_selection === 'all',
        suspendedAt: suspended_at,
      };
    },
  }),

  /** GitHub refuses every token of the installation while it is suspended, our own among them; the app's key still lifts it. */
  suspendInstallation: op.reversible({
    ...change,
    title: 'Suspend an installation of our app: all its tokens stop',
    docs: `${DOCS.installations}#suspend-an-app-installation`,
    before: async (ctx, ref) => ({ suspended: await suspended(ctx, ref) }),
    run: (ctx, ref) => set(ctx, ref, true),
    probe: async (ctx, ref) => ((await suspended(ctx, ref)) ? { state: 'done', out: null } : { state: 'not-done' }),
    undo: async (ctx, ref, before) => void (await set(ctx, ref, before.suspended)),
  }),

  /** For the end of an incident, once the tokens that leaked have run out: they live for an hour. */
  liftSuspension: op.reversible({
    ...change,
    title: 'Lift the suspension of an installation of our app',
    docs: `${DOCS.installations}#unsuspend-an-app-installation`,
    before: async (ctx, ref) => ({ suspended: await suspended(ctx, ref) }),
    run: (ctx, ref) => set(ctx, ref, false),
    probe: async (ctx, ref) => ((await suspended(ctx, ref)) ? { state: 'not-done' } : { state: 'done', out: null }),
    undo: async (ctx, ref, before) => void (await set(ctx, ref, before.suspended)),
  }),
};
