import { createHmac } from 'node:crypto';
import { alertShape, repositoryShape, userShape } from './shapes.ts';
import type { AlertAt, GithubWorld } from './world.ts';

export interface Webhook {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}
export type AlertAction = 'created' | 'publicly_leaked' | 'validated' | 'reopened' | 'resolved';

/** The delivery that GitHub would send for this alert: signed, and without its secret and state, as the real one is. */
export function alertWebhook(
  world: GithubWorld,
  { owner, repo, number }: AlertAt,
  action: AlertAction,
  secret: string,
  delivery: string,
): Webhook {
  const repository = world.repository({ owner, repo });
  const body = JSON.stringify({
    action,
    alert: alertShape(repository, world.alert({ owner, repo, number })),
    repository: repositoryShape(repository),
    sender: userShape('github'),
    installation: { id: world.installation(owner).id, node_id: 'MDIzOkludGVncmF0aW9u' },
  });
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'GitHub-Hookshot/044aadd',
      'x-github-delivery': delivery,
      'x-github-event': 'secret_scanning_alert',
      'x-github-hook-id': '292430182',
      'x-github-hook-installation-target-id': String(repository.id),
      'x-github-hook-installation-target-type': 'repository',
      'x-hub-signature-256': `sha256=${signature}`,
    },
  };
}
