import { answered, approvedBefore, milestoneAfter, type Scenario } from '#drill';

const WHERE = { owner: 'acme', repo: 'infra' };

/** The private half of a deploy key in the history of a public repository. */
export const leakedDeployKeyDrill: Scenario = {
  name: 'leaked-deploy-key',
  title: 'The private half of a deploy key is published',
  brief:
    'A build log of acme/infra was published with an SSH key in it. Whoever holds it can push to the repository. Two deploy ' +
    'keys are there, and only one of them leaked. GitHub has just sent its alert.',

  stage({ github, webhookSecret }) {
    const { world } = github;
    const repository = world.repository(WHERE, { visibility: 'public' });
    const leaked = world.addDeployKey(WHERE, { title: 'deploy job' });
    const innocent = world.addDeployKey(WHERE, { title: 'mirror', readOnly: true });
    const alert = world.addAlert(WHERE, {
      secret: leaked.privateKey,
      secretType: 'ssh_private_key',
      publiclyLeaked: true,
    });
    const there = (id: number): boolean => repository.keys.some((key) => key.id === id);
    return {
      alert: { path: '/webhooks/github', ...github.signedWebhook(alert, 'publicly_leaked', webhookSecret) },
      inventory: [
        {
          match: { kind: 'github.deploy-key', where: WHERE },
          owner: 'platform team',
          consumers: ['deploy job of acme/infra'],
        },
      ],
      objectives: [
        {
          title: 'Contained, and proved gone at GitHub, within a minute of the alert',
          met: (incident) => (milestoneAfter(incident, 'contained') ?? Number.POSITIVE_INFINITY) <= 60_000,
        },
        { title: 'The repository no longer takes the leaked key', met: () => !there(leaked.id) },
        { title: 'The deploy key that did not leak is still there', met: () => there(innocent.id) },
        {
          title: 'People looked for what the key may have pushed, and replaced it',
          met: (incident) => ['rotate/check', 'rotate/replace'].every((step) => answered(incident, step)),
        },
        {
          title: 'The alert is resolved as revoked, after the key was seen gone',
          met: (incident) => incident.state === 'closed' && world.alert(alert).resolution === 'revoked',
        },
        {
          title: 'A person approved the end of it, before the alert was resolved',
          met: (incident) => approvedBefore(incident, 'retire', 'retire/resolve'),
        },
      ],
      secrets: keyLines(leaked.privateKey),
    };
  },
};

/** A private key's lines one by one: a text that holds it may break it anywhere. */
const keyLines = (pem: string): readonly string[] =>
  pem.split('\n').filter((line) => /^[A-Za-z0-9+/=]{20,}$/.test(line));
