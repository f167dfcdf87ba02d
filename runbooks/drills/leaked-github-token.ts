import { answered, approvedBefore, milestoneAfter, type Scenario } from '#drill';

const WHERE = { owner: 'acme', repo: 'web' };

/** A personal token in a public repository. GitHub cannot disable it, only revoke it for good: somebody must say yes. */
export const leakedGithubTokenDrill: Scenario = {
  name: 'leaked-github-token',
  title: 'A personal GitHub token is pushed to a public repository',
  brief:
    'Ada of acme pushed a script with her personal access token to the public repository acme/web. The nightly build uses ' +
    'the same token. GitHub has just sent its alert. Nobody but Ada can make a new one, and a revoked token never comes back.',

  stage({ github, webhookSecret }) {
    const { world } = github;
    world.repository(WHERE, { visibility: 'public' });
    const token = world.addToken('ghp', 'ada', { scopes: ['repo'], organisations: ['acme'] });
    const other = world.addToken('ghp', 'ada', { scopes: ['repo'] });
    const alert = world.addAlert(WHERE, {
      secret: token,
      secretType: 'github_personal_access_token',
      publiclyLeaked: true,
    });
    return {
      alert: { path: '/webhooks/github', ...github.signedWebhook(alert, 'publicly_leaked', webhookSecret) },
      inventory: [
        {
          match: { kind: 'github.token', where: { owner: 'ada' } },
          consumers: ['nightly build of acme/web'],
        },
      ],
      objectives: [
        {
          title: 'Contained, and proved dead at GitHub, within a minute and a half of the alert',
          met: (incident) => (milestoneAfter(incident, 'contained') ?? Number.POSITIVE_INFINITY) <= 90_000,
        },
        { title: 'GitHub no longer accepts the leaked token', met: () => !world.accepts(token) },
        { title: "Ada's other token still works", met: () => world.accepts(other) },
        {
          title: 'A person approved what could not be taken back, before it was done',
          met: (incident) => approvedBefore(incident, 'contain', 'contain/revoke'),
        },
        {
          title: 'Its owner was asked to replace it where it is used',
          met: (incident) => answered(incident, 'rotate/replace'),
        },
        {
          title: 'The alert is resolved as revoked, after the token was proved dead',
          met: (incident) => incident.state === 'closed' && world.alert(alert).resolution === 'revoked',
        },
      ],
      secrets: [token, other],
    };
  },
};
