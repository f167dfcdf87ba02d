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
    title: 'Suspend an installation of our app: all its tokens stop',
    permissions: [],
    docs: `${DOCS.installations}#suspend-an-app-installation`,
    bucket: 'write',
    input: installationRef,
    before: async (ctx, ref) => ({ suspended: await suspended(ctx, ref) }),
    run: async (ctx, ref) => {
      const { client, ...scope } = ctx;
      const reply = await client.send(scope, { who, needs: null, answer: noContent }, (rest, o) =>
        rest.apps.suspendInstallation({ installation_id: ref.installationId, ...o }),
      );
      const refused = !reply.ok && ['conflict', 'invalid', 'missing'].includes(reply.failure.code);
      if (!reply.ok && !(refused && (await suspended(ctx, ref)))) throw reply.failure;
      return null;
    },
    probe: async (ctx, ref) => ((await suspended(ctx, ref)) ? { state: 'done', out: null } : { state: 'not-done' }),
    undo: async (ctx, ref, before) => {
      if (before.suspended || !(await suspended(ctx, ref))) return;
      const { client, ...scope } = ctx;
      const ask = { who, needs: null, answer: noContent };
      await client.ask(scope, ask, (rest, o) =>
        rest.apps.unsuspendInstallation({ installation_id: ref.installationId, ...o }),
      );
    },
  }),
};
