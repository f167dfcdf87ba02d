import { z } from 'zod';
import type { Exposure, Finding, Location, Validity } from '../../core/finding.ts';
import { requireSecrets, signedByAny } from '../hmac.ts';
import { severityOf } from '../severity.ts';
import { instant, invalid, link, shapedJson, text } from '../shape.ts';
import type { Authenticated, Parsed, RawRequest, WebhookSource } from '../source.ts';

/** What GitHub's REST API says of an alert when a webhook carries it; neither the secret nor its state is there. */
const alert = z.object({
  number: z.int().positive(),
  /** Not in what older GitHub Enterprise Servers send. */
  created_at: instant.optional(),
  updated_at: instant.nullish(),
  html_url: link.nullish(),
  secret_type: text(200).optional(),
  secret_type_display_name: text(200).optional(),
  validity: z.enum(['active', 'inactive', 'unknown']).nullish(),
  publicly_leaked: z.boolean().nullish(),
  resolution: text(100).nullish(),
});

// `.` and `..` would be valid characters and another path, once a connector puts them into a URL.
const fullName = z.string().regex(/^(?!\.{1,2}\/)[\w.-]{1,100}\/(?!\.{1,2}$)[\w.-]{1,100}$/, 'Expected owner/name.');
const repository = z.object({ full_name: fullName, private: z.boolean(), html_url: link.optional() });

const alertEvent = z.object({ action: text(100), alert, repository });

const location = z.object({
  type: text(100),
  details: z.object({
    path: text(4_096).optional(),
    start_line: z.int().nonnegative().optional(),
    commit_sha: z
      .string()
      .regex(/^[0-9a-f]{7,64}$/, 'Expected a commit hash.')
      .optional(),
  }),
});
const locationEvent = alertEvent.extend({ location });

type AlertEvent = z.infer<typeof alertEvent>;
type LocationEvent = z.infer<typeof locationEvent>;

/**
 * GitHub secret scanning: `secret_scanning_alert` and `secret_scanning_alert_location`.
 * https://docs.github.com/webhooks/webhook-events-and-payloads#secret_scanning_alert
 * `secrets` are the webhook's secrets: several while one replaces another. Throws when there is none.
 */
export function githubSource(options: { readonly secrets: readonly string[] }): WebhookSource {
  requireSecrets('GitHub', options.secrets);
  return {
    name: 'github',
    authn: 'hmac:github',
    authenticate: async (request) => authenticate(request, options.secrets),
    parse,
  };
}

function authenticate({ headers, body }: RawRequest, secrets: readonly string[]): Authenticated {
  const refused = (because: string): Authenticated => ({ ok: false, status: 401, because });
  const signature = headers['x-hub-signature-256'];
  const delivery = headers['x-github-delivery'];
  if (!signature) return refused('There is no X-Hub-Signature-256 header: give the webhook a secret in GitHub.');
  if (!delivery) return refused('There is no X-GitHub-Delivery header.');
  if (!/^[\w-]{1,100}$/.test(delivery)) return refused('X-GitHub-Delivery is not a delivery id.');
  if (!headers['x-github-event']) return refused('There is no X-GitHub-Event header.');
  if (!signedByAny(secrets, body, signature.replace(/^sha256=/, ''))) {
    return refused('X-Hub-Signature-256 does not match: the secret set in GitHub differs from the one set here.');
  }
  return { ok: true, delivery };
}

function parse({ headers, body }: RawRequest): Parsed {
  const event = headers['x-github-event'] ?? '';
  if (headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
    return invalid('', 'GitHub sent a form: set the content type of the webhook to application/json.');
  }
  switch (event) {
    case 'secret_scanning_alert': {
      const shaped = shapedJson(alertEvent, body);
      return shaped.ok ? ofAlert(shaped.value) : shaped.invalid;
    }
    case 'secret_scanning_alert_location': {
      const shaped = shapedJson(locationEvent, body);
      return shaped.ok ? ofLocation(shaped.value) : shaped.invalid;
    }
    case 'ping': {
      const shaped = shapedJson(z.object({}), body);
      return shaped.ok ? { kind: 'nothing', because: 'GitHub checked that the webhook answers.' } : shaped.invalid;
    }
    default: {
      const shaped = shapedJson(z.object({}), body);
      const because = `GitHub events of the type "${event.slice(0, 64)}" say nothing about a leaked secret.`;
      return shaped.ok ? { kind: 'nothing', because } : shaped.invalid;
    }
  }
}

function ofAlert(event: AlertEvent): Parsed {
  switch (event.action) {
    case 'created':
    case 'publicly_leaked':
    case 'validated':
    case 'reopened':
      return findingOf(event, [{ label: nameOf(event), ...urlOf(event) }]);
    default:
      return { kind: 'nothing', because: `${nameOf(event)} was ${event.action.slice(0, 64)} in GitHub.` };
  }
}

function ofLocation(event: LocationEvent): Parsed {
  const { path, start_line: line, commit_sha: commit } = event.location.details;
  if (!path) {
    const place = event.location.type.replaceAll('_', ' ');
    return findingOf(event, [{ label: `${event.repository.full_name}: ${place}`, ...urlOf(event) }]);
  }
  const where = [path, line && `line ${line}`].filter(Boolean).join(' ');
  const label = `${event.repository.full_name}: ${where}${commit ? `, commit ${commit.slice(0, 7)}` : ''}`;
  const page = event.repository.html_url;
  if (event.location.type !== 'commit' || !page || !commit) return findingOf(event, [{ label, ...urlOf(event) }]);
  const url = `${page}/blob/${commit}/${path.split('/').map(encodeURIComponent).join('/')}${line ? `#L${line}` : ''}`;
  return findingOf(event, [{ label, url }]);
}

const nameOf = ({ alert, repository }: AlertEvent): string =>
  `${repository.full_name}: secret scanning alert #${alert.number}`;
const urlOf = ({ alert }: AlertEvent): { url?: string } => (alert.html_url ? { url: alert.html_url } : {});

function findingOf(event: AlertEvent, locations: readonly Location[]): Parsed {
  const { alert, repository } = event;
  if (alert.resolution) {
    return { kind: 'nothing', because: `${nameOf(event)} is already resolved in GitHub (${alert.resolution}).` };
  }
  const [owner = '', repo = ''] = repository.full_name.split('/');
  const key = `github:${repository.full_name}#${alert.number}`;
  const secretType = alert.secret_type ?? 'unknown';
  const title = `${alert.secret_type_display_name ?? secretType} in ${repository.full_name} (alert #${alert.number})`;
  const detectedAt = alert.updated_at ?? alert.created_at;
  const exposure: Exposure = alert.publicly_leaked || !repository.private ? 'public' : 'internal';
  const validity: Validity = alert.validity ?? 'unknown';
  const finding: Finding = {
    dedupeKey: key,
    title,
    cause: { key, title },
    severity: severityOf(exposure, validity),
    exposure,
    validity,
    clue: {
      kind: 'github.secret-scanning-alert',
      id: `${repository.full_name}#${alert.number}`,
      where: { owner, repo, number: alert.number, secretType },
    },
    locations,
    ...(detectedAt === undefined ? {} : { detectedAt }),
  };
  return { kind: 'findings', findings: [finding] };
}
