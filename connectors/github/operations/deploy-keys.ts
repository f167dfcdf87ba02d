import { z } from 'zod';
import type { Ctx, Liveness } from '#tourniquet';
import { type GithubClient, noContent } from '../client.ts';
import { type DeployKeyRef, deployKeyRef, type RepoRef } from '../kinds.ts';
import { NEEDS } from '../permissions.ts';
import { publicPart } from '../ssh-key.ts';
import { DOCS, op } from './op.ts';

const keyAnswer = z.object({
  id: z.int(),
  title: z.string(),
  key: z.string(),
  read_only: z.boolean(),
  created_at: z.string(),
  added_by: z.string().nullish(),
  last_used: z.string().nullish(),
});
export type DeployKey = z.infer<typeof keyAnswer>;
const PAGE = 100;

const whoFor = ({ owner, repo }: RepoRef) => ({ as: 'installation' as const, owner, repo });

/** All keys of a repository. Throws Failure `missing` when we may not see them: an empty list is then really empty. */
export async function keysOf({ client, ...scope }: Ctx<GithubClient>, { owner, repo }: RepoRef): Promise<DeployKey[]> {
  const ask = { who: whoFor({ owner, repo }), needs: NEEDS.readKeys, answer: z.array(keyAnswer) };
  const keys: DeployKey[] = [];
  for (let page = 1; ; page += 1) {
    const call = await client.ask(scope, ask, (rest, o) =>
      rest.repos.listDeployKeys({ owner, repo, per_page: PAGE, page, ...o }),
    );
    keys.push(...call.data);
    if (call.data.length < PAGE) return keys;
  }
}

/** The key, or null when it is surely gone: GitHub's 404 means that only where we may see the repository's keys. */
async function keyOf(ctx: Ctx<GithubClient>, { owner, repo, keyId }: DeployKeyRef): Promise<DeployKey | null> {
  const { client, ...scope } = ctx;
  const ask = { who: whoFor({ owner, repo }), needs: NEEDS.readKeys, answer: keyAnswer };
  const found = await client.find(scope, ask, (rest, o) =>
    rest.repos.getDeployKey({ owner, repo, key_id: keyId, ...o }),
  );
  if (found !== null) return found;
  return (await keysOf(ctx, { owner, repo })).find(({ id }) => id === keyId) ?? null;
}

/** The keys of the repository that are `key`, whatever their number: adding a key again gives it a new one. */
const sameKeys = async (ctx: Ctx<GithubClient>, repo: RepoRef, key: string): Promise<DeployKey[]> =>
  (await keysOf(ctx, repo)).filter((each) => publicPart(each.key) === publicPart(key));

export const deployKeyOperations = {
  describeDeployKey: op.observe({
    title: 'Read a deploy key: what it may do and when it was last used',
    permissions: [NEEDS.readKeys],
    docs: `${DOCS.deployKeys}#get-a-deploy-key`,
    bucket: 'read',
    input: deployKeyRef,
    run: async (ctx, ref) => {
      const key = await keyOf(ctx, ref);
      return {
        present: key !== null,
        title: key?.title ?? null,
        readOnly: key?.read_only ?? null,
        createdAt: key?.created_at ?? null,
        addedBy: key?.added_by ?? null,
        lastUsed: key?.last_used ?? null,
      };
    },
  }),

  deployKeyLiveness: op.observe({
    title: 'Ask GitHub whether a deploy key is still there',
    permissions: [NEEDS.readKeys],
    docs: `${DOCS.deployKeys}#get-a-deploy-key`,
    bucket: 'read',
    input: deployKeyRef,
    run: async (ctx, ref): Promise<Liveness> =>
      (await keyOf(ctx, ref)) === null
        ? { state: 'dead', because: `the repository no longer has a key ${ref.keyId}` }
        : { state: 'live', because: 'the repository still lists it' },
  }),

  /** GitHub cannot disable a deploy key, but the same public key can be added again: under a new number, else as it was. */
  removeDeployKey: op.reversible({
    title: 'Remove a deploy key from its repository',
    permissions: [NEEDS.writeKeys],
    docs: `${DOCS.deployKeys}#delete-a-deploy-key`,
    bucket: 'write',
    input: deployKeyRef,
    before: async (ctx, ref) => {
      const key = await keyOf(ctx, ref);
      return key === null ? null : { title: key.title, key: key.key, readOnly: key.read_only };
    },
    run: async (ctx, ref, before) => {
      if (before === null) return { removed: ref.keyId };
      const { client, ...scope } = ctx;
      const { owner, repo } = ref;
      const ask = { who: whoFor(ref), needs: NEEDS.writeKeys, answer: noContent };
      for (const key of await sameKeys(ctx, ref, before.key)) {
        const reply = await client.send(scope, ask, (rest, o) =>
          rest.repos.deleteDeployKey({ owner, repo, key_id: key.id, ...o }),
        );
        const gone = reply.ok || (reply.status === 404 && (await keyOf(ctx, { owner, repo, keyId: key.id })) === null);
        if (!gone) throw reply.failure;
      }
      return { removed: ref.keyId };
    },
    probe: async (ctx, ref, before) => {
      const left = before === null ? [] : await sameKeys(ctx, ref, before.key);
      return left.length === 0 ? { state: 'done', out: { removed: ref.keyId } } : { state: 'not-done' };
    },
    undo: async (ctx, { owner, repo }, before) => {
      if (before === null) return;
      if ((await sameKeys(ctx, { owner, repo }, before.key)).length > 0) return;
      const { client, ...scope } = ctx;
      const ask = { who: whoFor({ owner, repo }), needs: NEEDS.writeKeys, answer: keyAnswer };
      await client.ask(scope, ask, (rest, o) =>
        rest.repos.createDeployKey({
          owner,
          repo,
          title: before.title,
          key: before.key,
          read_only: before.readOnly,
          ...o,
        }),
      );
    },
  }),
};
