import { approvedBefore, milestoneAfter, type Scenario } from '#drill';

const ACCOUNT = '123456789012';
const USER = 'deploy-bot';
const SINK = 'prod/deploy-bot';
const WHERE = { owner: 'acme', repo: 'web' };

/** A deployment key pushed to a public repository: the most common leak there is. */
export const leakedAwsAccessKeyDrill: Scenario = {
  name: 'leaked-aws-access-key',
  title: 'An AWS access key is pushed to a public repository',
  brief:
    'Someone pushed deploy.env to the public repository acme/web. It holds the access key of the user deploy-bot, whose ' +
    'pipeline reads the key from Secrets Manager. GitHub has just sent its alert. Keys like this are abused within a minute.',

  stage({ aws, github, webhookSecret }, { soak }) {
    const { world } = aws;
    world.addUser(ACCOUNT, USER, ['AdministratorAccess']);
    const leaked = world.addKey(ACCOUNT, USER);
    world.addSecret(ACCOUNT, SINK, { accessKeyId: leaked.id, secretAccessKey: leaked.secret });
    world.perform({ keyId: leaked.id, service: 's3', action: 'ListBuckets', ip: '203.0.113.7', agent: 'aws-cli/2' });
    github.world.repository(WHERE, { visibility: 'public' });
    const alert = github.world.addAlert(WHERE, {
      secret: leaked.id,
      secretType: 'aws_access_key_id',
      publiclyLeaked: true,
    });
    const delivered = () => world.secretValue(ACCOUNT, SINK);
    return {
      alert: { path: '/webhooks/github', ...github.signedWebhook(alert, 'publicly_leaked', webhookSecret) },
      inventory: [
        {
          match: { kind: 'aws.access-key', where: { user: USER } },
          owner: 'platform team',
          environment: 'production',
          consumers: ['deploy pipeline of acme/web'],
          params: { sink: { kind: 'aws.secrets-manager', secretId: SINK }, soak },
        },
      ],
      objectives: [
        {
          title: 'Contained, and proved dead at the provider, within a minute of the alert',
          met: (incident) => (milestoneAfter(incident, 'contained') ?? Number.POSITIVE_INFINITY) <= 60_000,
        },
        { title: 'The leaked key opens nothing any more', met: () => !world.canUse(leaked.id) },
        {
          title: 'The pipeline has a working replacement where it looks for it',
          met: () => {
            const id = delivered()?.accessKeyId;
            return id !== undefined && id !== leaked.id && world.canUse(id);
          },
        },
        {
          title: 'The leaked key is deleted, after a soak, with its replacement in place',
          met: (incident) =>
            incident.state === 'closed' && world.keys(ACCOUNT, USER).every((key) => key.id !== leaked.id),
        },
        {
          title: 'A person approved what could not be taken back, before it was done',
          met: (incident) => approvedBefore(incident, 'retire', 'retire/delete'),
        },
      ],
      secrets: [leaked.secret],
    };
  },
};
