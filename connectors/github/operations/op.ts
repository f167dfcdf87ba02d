import { operations } from '#tourniquet';
import type { GithubClient } from '../client.ts';

export const op = operations<GithubClient>();

/** The pages that the operations point to. */
export const DOCS = {
  alerts: 'https://docs.github.com/rest/secret-scanning/secret-scanning',
  deployKeys: 'https://docs.github.com/rest/deploy-keys/deploy-keys',
  installations: 'https://docs.github.com/rest/apps/apps',
  installationTokens: 'https://docs.github.com/rest/apps/installations',
  revoke: 'https://docs.github.com/rest/credentials/revoke',
  users: 'https://docs.github.com/rest/users/users',
} as const;
