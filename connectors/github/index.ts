import { defineConnector } from '#tourniquet';
import { GithubClient } from './client.ts';
import { doctor } from './doctor.ts';
import { identifyAlert, identifyDeployKey, identifyToken } from './identify.ts';
import { githubDeployKey, githubToken } from './kinds.ts';
import { alertOperations } from './operations/alerts.ts';
import { deployKeyOperations } from './operations/deploy-keys.ts';
import { installationOperations } from './operations/installations.ts';
import { tokenOperations } from './operations/tokens.ts';
import { requiredPermissions } from './permissions.ts';
import { configured, settings } from './settings.ts';
import { actionsSecretSink } from './sink.ts';

export { githubDeployKey, githubInstallation, githubToken } from './kinds.ts';
export { TOKEN_TITLES } from './token.ts';

const operations = { ...alertOperations, ...tokenOperations, ...deployKeyOperations, ...installationOperations };

/** What a GitHub App must be given for all of this; `permissions.ts` turns it into an app manifest. */
export const githubPermissions = requiredPermissions(operations);

export const github = defineConnector({
  name: 'github',
  title: 'GitHub',
  settings,
  configured,
  connect: (given, outside) => new GithubClient(given, outside),
  // https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api: 5,000 an hour, writes one by one and a
  // second apart. Bulk revocation: 60 unauthenticated requests an hour from one address, so that 30 and then 30.
  buckets: {
    read: { capacity: 50, perSecond: 1.3 },
    write: { capacity: 1, perSecond: 1 },
    revoke: { capacity: 30, perSecond: 30 / 3_600 },
  },
  identify: {
    'github.secret-scanning-alert': identifyAlert,
    [githubToken.kind]: identifyToken,
    [githubDeployKey.kind]: identifyDeployKey,
  },
  sinks: { 'github.actions-secret': actionsSecretSink },
  doctor: (ctx) => doctor(ctx, githubPermissions),
  operations,
});
