import { z } from 'zod';
import { credentialKind } from '#tourniquet';
import { TOKEN_TYPES } from './token.ts';

/** Owner and repository names as GitHub allows them; what keeps `..` and `/` out of an address. */
const owner = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98})$/, 'is not the name of a GitHub user or organisation');
const repo = z.string().regex(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/, 'is not the name of a repository');

export const repoRef = z.object({ owner, repo });
export const alertRef = z.object({ owner, repo, number: z.int().positive() });
export const deployKeyRef = z.object({ owner, repo, keyId: z.int().positive() });
export const installationRef = z.object({ installationId: z.int().positive() });
export type RepoRef = z.infer<typeof repoRef>;
export type AlertRef = z.infer<typeof alertRef>;
export type DeployKeyRef = z.infer<typeof deployKeyRef>;

/** A token. GitHub gives it no id that we may know, so its id is the keyed fingerprint that triage makes; its secret is sealed. */
export const githubToken = credentialKind(
  'github.token',
  'GitHub token',
  z.object({
    tokenType: z.enum(TOKEN_TYPES),
    /** Whose it is: a login, or the owner of the installation. */
    owner: z.string().optional(),
    alert: alertRef.optional(),
    /** Known only for an installation token of our own app. */
    installationId: z.int().positive().optional(),
  }),
);

/** An SSH key of one repository. Its id is GitHub's number for it, as text. */
export const githubDeployKey = credentialKind(
  'github.deploy-key',
  'GitHub deploy key',
  deployKeyRef.extend({ alert: alertRef.optional() }),
);

/** An installation of our own app: every token it ever minted. */
export const githubInstallation = credentialKind('github.installation', 'GitHub App installation', installationRef);
