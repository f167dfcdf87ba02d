import { z } from 'zod';
import { github, githubDeployKey } from '#connectors/github';
import { confirm, defineRunbook, guided, type Json, otherwise, type Step, step } from '#tourniquet';

const params = z.object({
  /** What uses the key, as its owner would say it. Empty: nothing that we know of. */
  consumers: z.array(z.string()).default([]),
});

/** Evidence that cannot be had never holds up containment. */
const ifPossible = (read: Step<'observe', Json>) => otherwise(read, null);

/** When nobody could look, the key counts as there and able to write. */
const UNKNOWN = { present: true, title: null, readOnly: null, createdAt: null, addedBy: null, lastUsed: null };

export const leakedDeployKey = defineRunbook(githubDeployKey, {
  name: 'leaked-deploy-key',
  title: 'The private half of a deploy key is outside our control',
  params,

  assess: ({ where: { alert, ...key } }) => ({
    key: otherwise(
      step('Record what the key may do and when it was last used', github.describeDeployKey, key),
      UNKNOWN,
    ),
    ...(alert === undefined
      ? {}
      : {
          alert: ifPossible(step('Read the alert', github.readAlert, alert)),
          places: ifPossible(step('List where it was found', github.alertLocations, alert)),
        }),
  }),

  // GitHub cannot disable a deploy key, but the same public half can be added again: that is what undo does.
  contain: ({ where: { alert: _, ...key } }) => ({
    remove: step(`Remove deploy key ${key.keyId} from ${key.owner}/${key.repo}`, github.removeDeployKey, key),
    gone: confirm('The repository no longer has the key', github.deployKeyLiveness, key, {
      expect: 'dead',
      within: '5m',
      settle: '10s',
    }),
  }),

  rotate: ({ where: { owner, repo } }, { key }, { consumers }) => ({
    check:
      key.readOnly === true
        ? undefined
        : guided('Look for what the key may have pushed', {
            instructions: `The key could write. Look through the pushes to ${owner}/${repo} since it leaked: branches and tags, workflows, releases. A deploy key's pushes are marked with its name.`,
            link: `https://github.com/${owner}/${repo}/activity`,
            asks: 'What was looked through, since when, and was anything found?',
          }),
    replace:
      consumers.length === 0
        ? undefined
        : guided(`Make a new deploy key for ${owner}/${repo}`, {
            instructions: `${consumers.join(', ')} used this key and have stopped. Make a new key pair where it will be used (ssh-keygen -t ed25519), add its public half${key.readOnly === true ? ', read-only as the old one was' : ', read-only if that is enough'}, and delete the old private half wherever it is.`,
            link: `https://github.com/${owner}/${repo}/settings/keys/new`,
            asks: 'What is the number of the new key, and do its users work again?',
          }),
  }),

  retire: ({ where: { alert, ...key } }) => ({
    stillGone: confirm('The key is still gone', github.deployKeyLiveness, key, {
      expect: 'dead',
      within: '5m',
      settle: '10s',
    }),
    resolve:
      alert === undefined
        ? undefined
        : step('Resolve the alert as revoked', github.resolveAlert, {
            ...alert,
            resolution: 'revoked',
            comment: 'Removed from the repository, and seen gone.',
          }),
  }),
});
