import { describeConnector } from '../../connector.suite.ts';
import { type GithubTestWorld, openGithub } from './world.ts';

const AT = { owner: 'acme', repo: 'web' };

/** One of everything, and what the cases call it. */
interface Seeded extends GithubTestWorld {
  readonly token: string;
  readonly installationToken: string;
  readonly sealedToken: `sealed:${string}`;
  readonly sealedInstallationToken: `sealed:${string}`;
  readonly alert: { readonly owner: string; readonly repo: string; readonly number: number };
  readonly keyId: number;
  readonly installationId: number;
  readonly suspendedId: number;
}

async function open(): Promise<Seeded> {
  const opened = await openGithub();
  const { world } = opened.simulator;
  world.repository(AT);
  const elsewhere = world.installation('globex');
  elsewhere.suspendedAt = opened.now();
  const token = world.addToken('ghp', 'ada', { scopes: ['repo', 'gist'], organisations: ['acme'] });
  const installationToken = world.addToken('ghs', 'acme');
  return {
    ...opened,
    token,
    installationToken,
    sealedToken: opened.seal(token),
    sealedInstallationToken: opened.seal(installationToken),
    alert: world.addAlert(AT, { secret: token, secretType: 'github_personal_access_token' }),
    keyId: world.addDeployKey(AT, { title: 'ci', readOnly: true }).id,
    installationId: world.installation('acme').id,
    suspendedId: elsewhere.id,
  };
}

const ALERT = '/repos/{owner}/{repo}/secret-scanning/alerts/{alert_number}';
const KEY = '/repos/{owner}/{repo}/keys/{key_id}';
const INSTALLATION = '/app/installations/{installation_id}';

const keysOf = ({ simulator }: Seeded) =>
  simulator.world.repository(AT).keys.map(({ title, key, readOnly }) => ({ title, key, readOnly }));
const alertOf = ({ simulator, alert }: Seeded) => {
  const { state, resolution } = simulator.world.alert(alert);
  return { state, resolution };
};
const suspended = ({ simulator, installationId }: Seeded, id = installationId) =>
  simulator.world.state.installations.get(id)?.suspendedAt != null;

describeConnector<Seeded>('github', {
  open,
  cases: [
    {
      operation: 'github.readAlert',
      effect: 'observe',
      input: ({ alert }) => alert,
      action: `GET ${ALERT}`,
      gives: () => ({ state: 'open', validity: 'active', publiclyLeaked: false }),
    },
    {
      operation: 'github.alertLocations',
      effect: 'observe',
      input: ({ alert }) => alert,
      action: `GET ${ALERT}/locations`,
      gives: () => ({ locations: [{ label: 'acme/web: deploy.env line 3, commit 1a2b3c4' }], more: false }),
    },
    {
      operation: 'github.describeToken',
      effect: 'observe',
      input: ({ sealedToken }) => ({ secret: sealedToken }),
      action: 'GET /user',
      gives: () => ({
        state: 'live',
        login: 'ada',
        scopes: ['repo', 'gist'],
        organisations: ['acme'],
        repositories: 1,
      }),
      codes: { deny: ['success'], missing: ['success'], conflict: ['success'] },
    },
    {
      operation: 'github.tokenLiveness',
      effect: 'observe',
      input: ({ sealedToken }) => ({ secret: sealedToken }),
      action: 'GET /user',
      gives: () => ({ state: 'live' }),
      codes: { deny: ['success'], missing: ['success'], conflict: ['success'] },
    },
    {
      operation: 'github.describeDeployKey',
      effect: 'observe',
      input: ({ keyId }) => ({ ...AT, keyId }),
      action: `GET ${KEY}`,
      gives: () => ({ present: true, title: 'ci', readOnly: true, addedBy: 'ada' }),
      codes: { missing: ['success'] },
    },
    {
      operation: 'github.deployKeyLiveness',
      effect: 'observe',
      input: ({ keyId }) => ({ ...AT, keyId }),
      action: `GET ${KEY}`,
      gives: () => ({ state: 'live' }),
      codes: { missing: ['success'] },
    },
    {
      operation: 'github.describeInstallation',
      effect: 'observe',
      input: ({ installationId }) => ({ installationId }),
      action: `GET ${INSTALLATION}`,
      gives: () => ({ account: 'acme', suspendedAt: null }),
    },
    {
      operation: 'github.resolveAlert',
      effect: 'reversible',
      input: ({ alert }) => ({ ...alert, resolution: 'revoked', comment: 'Revoked by Tourniquet' }),
      action: `PATCH ${ALERT}`,
      effectVisible: (world) => alertOf(world).resolution === 'revoked',
      state: alertOf,
      undoAction: `PATCH ${ALERT}`,
      probeAction: `GET ${ALERT}`,
    },
    {
      operation: 'github.removeDeployKey',
      effect: 'reversible',
      input: ({ keyId }) => ({ ...AT, keyId }),
      action: `DELETE ${KEY}`,
      effectVisible: (world) => keysOf(world).length === 0,
      state: keysOf,
      undoAction: 'POST /repos/{owner}/{repo}/keys',
      probeAction: 'GET /repos/{owner}/{repo}/keys',
    },
    {
      operation: 'github.suspendInstallation',
      effect: 'reversible',
      input: ({ installationId }) => ({ installationId }),
      action: `PUT ${INSTALLATION}/suspended`,
      effectVisible: (world) => suspended(world),
      state: (world) => suspended(world),
      undoAction: `DELETE ${INSTALLATION}/suspended`,
      probeAction: `GET ${INSTALLATION}`,
    },
    {
      operation: 'github.liftSuspension',
      effect: 'reversible',
      input: ({ suspendedId }) => ({ installationId: suspendedId }),
      action: `DELETE ${INSTALLATION}/suspended`,
      effectVisible: (world) => !suspended(world, world.suspendedId),
      state: (world) => suspended(world, world.suspendedId),
      undoAction: `PUT ${INSTALLATION}/suspended`,
      probeAction: `GET ${INSTALLATION}`,
    },
    {
      operation: 'github.revokeTokens',
      effect: 'irreversible',
      input: ({ sealedToken }) => ({ secrets: [sealedToken] }),
      action: 'POST /credentials/revoke',
      effectVisible: ({ simulator, token }) => !simulator.world.accepts(token),
      state: ({ simulator, token }) => simulator.world.accepts(token),
      probeAction: 'GET /user',
    },
    {
      operation: 'github.revokeInstallationToken',
      effect: 'irreversible',
      input: ({ sealedInstallationToken }) => ({ secret: sealedInstallationToken }),
      action: 'DELETE /installation/token',
      effectVisible: ({ simulator, installationToken }) => !simulator.world.accepts(installationToken),
      state: ({ simulator, installationToken }) => simulator.world.accepts(installationToken),
      probeAction: 'GET /installation/repositories',
    },
  ],
});
