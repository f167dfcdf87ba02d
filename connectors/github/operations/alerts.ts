import { z } from 'zod';
import type { Ctx, Exposure, Location } from '#tourniquet';
import type { GithubClient } from '../client.ts';
import { type AlertRef, alertRef } from '../kinds.ts';
import { NEEDS } from '../permissions.ts';
import { DOCS, op } from './op.ts';

const RESOLUTIONS = [
  'false_positive',
  'wont_fix',
  'revoked',
  'used_in_tests',
  'pattern_deleted',
  'pattern_edited',
] as const;
type Resolution = (typeof RESOLUTIONS)[number];
/** What may be set through the API; the two about patterns are GitHub's alone. */
const settable = z.enum(['false_positive', 'wont_fix', 'revoked', 'used_in_tests']);

/** What we read of an alert. Whatever else GitHub sends, the secret above all, is dropped here. */
const alertAnswer = z.object({
  html_url: z.string(),
  created_at: z.string(),
  secret_type: z.string(),
  secret_type_display_name: z.string().optional(),
  state: z.enum(['open', 'resolved']),
  resolution: z.enum(RESOLUTIONS).nullish(),
  resolution_comment: z.string().nullish(),
  validity: z.enum(['active', 'inactive', 'unknown']).default('unknown'),
  publicly_leaked: z.boolean().nullish(),
  multi_repo: z.boolean().nullish(),
});
type AlertAnswer = z.infer<typeof alertAnswer>;

const locationsAnswer = z.array(z.object({ type: z.string(), details: z.record(z.string(), z.unknown()) }));
const PAGE = 100;

const whoFor = ({ owner, repo }: AlertRef) => ({ as: 'installation' as const, owner, repo });
const pathOf = ({ owner, repo, number }: AlertRef) => ({ owner, repo, alert_number: number });

/** The alert without its secret. */
const read = async ({ client, ...scope }: Ctx<GithubClient>, alert: AlertRef): Promise<AlertAnswer> => {
  const ask = { who: whoFor(alert), needs: NEEDS.readAlerts, answer: alertAnswer };
  const call = await client.ask(scope, ask, (rest, o) =>
    rest.secretScanning.getAlert({ ...pathOf(alert), hide_secret: true, ...o }),
  );
  return call.data;
};

/** The alert with its secret in the clear, for identification alone: it must not leave the caller but towards the seal. */
export const readWithSecret = async ({ client, ...scope }: Ctx<GithubClient>, alert: AlertRef) => {
  const answer = alertAnswer.extend({ secret: z.string().min(1) });
  const ask = { who: whoFor(alert), needs: NEEDS.readAlerts, answer };
  return (await client.ask(scope, ask, (rest, o) => rest.secretScanning.getAlert({ ...pathOf(alert), ...o }))).data;
};

/** Where the secret was seen: the first hundred places. */
export const locationsOf = async (
  { client, ...scope }: Ctx<GithubClient>,
  alert: AlertRef,
): Promise<readonly Location[]> => {
  const ask = { who: whoFor(alert), needs: NEEDS.readAlerts, answer: locationsAnswer };
  const { data } = await client.ask(scope, ask, (rest, o) =>
    rest.secretScanning.listLocationsForAlert({ ...pathOf(alert), per_page: PAGE, ...o }),
  );
  return data.map(({ type, details }) => {
    const { path, start_line: line, commit_sha: commit, html_url: page } = details;
    const url = [page, details[`${type}_url`], details.commit_url].find((given) => typeof given === 'string');
    const place =
      typeof path === 'string'
        ? `${path}${typeof line === 'number' ? ` line ${line}` : ''}${typeof commit === 'string' ? `, commit ${commit.slice(0, 7)}` : ''}`
        : type.replaceAll('_', ' ');
    return { label: `${alert.owner}/${alert.repo}: ${place}`, ...(url === undefined ? {} : { url }) };
  });
};

/** Public when GitHub saw the secret in public, or when the repository itself is. */
export const exposureOf = async (
  { client, ...scope }: Ctx<GithubClient>,
  { owner, repo }: AlertRef,
  publiclyLeaked: boolean,
): Promise<Exposure> => {
  if (publiclyLeaked) return 'public';
  const who = { as: 'installation' as const, owner, repo };
  const ask = { who, needs: NEEDS.metadata, answer: z.object({ private: z.boolean() }) };
  const { data } = await client.ask(scope, ask, (rest, o) => rest.repos.get({ owner, repo, ...o }));
  return data.private ? 'internal' : 'public';
};

const factsOf = (alert: AlertAnswer) => ({
  url: alert.html_url,
  createdAt: alert.created_at,
  secretType: alert.secret_type,
  secretTitle: alert.secret_type_display_name ?? alert.secret_type,
  state: alert.state,
  resolution: alert.resolution ?? null,
  validity: alert.validity,
  publiclyLeaked: alert.publicly_leaked ?? false,
  inOtherRepositories: alert.multi_repo ?? false,
});

const stateOf = ({ state, resolution, resolution_comment: comment }: AlertAnswer) => ({
  state,
  resolution: resolution ?? null,
  comment: comment ?? null,
});

interface NewState {
  readonly state: 'open' | 'resolved';
  readonly resolution: Resolution | null;
  readonly comment: string | null;
}
const change = async ({ client, ...scope }: Ctx<GithubClient>, alert: AlertRef, to: NewState): Promise<void> => {
  const resolution = to.state === 'open' ? {} : { resolution: settable.parse(to.resolution) };
  const comment = to.state === 'open' || to.comment === null ? {} : { resolution_comment: to.comment };
  const ask = { who: whoFor(alert), needs: NEEDS.writeAlerts, answer: alertAnswer };
  await client.ask(scope, ask, (rest, o) =>
    rest.secretScanning.updateAlert({ ...pathOf(alert), state: to.state, ...resolution, ...comment, ...o }),
  );
};

export const alertOperations = {
  readAlert: op.observe({
    title: 'Read a secret scanning alert, without its secret',
    permissions: [NEEDS.readAlerts],
    docs: `${DOCS.alerts}#get-a-secret-scanning-alert`,
    bucket: 'read',
    input: alertRef,
    run: async (ctx, alert) => factsOf(await read(ctx, alert)),
  }),

  alertLocations: op.observe({
    title: 'List where a secret was found',
    permissions: [NEEDS.readAlerts],
    docs: `${DOCS.alerts}#list-locations-for-a-secret-scanning-alert`,
    bucket: 'read',
    input: alertRef,
    run: async (ctx, alert) => {
      const found = await locationsOf(ctx, alert);
      return { locations: found.map(({ label, url }) => ({ label, url: url ?? null })), more: found.length === PAGE };
    },
  }),

  resolveAlert: op.reversible({
    title: 'Resolve a secret scanning alert',
    permissions: [NEEDS.writeAlerts],
    docs: `${DOCS.alerts}#update-a-secret-scanning-alert`,
    bucket: 'write',
    input: alertRef.extend({ resolution: settable, comment: z.string().max(280).optional() }),
    before: async (ctx, alert) => stateOf(await read(ctx, alert)),
    run: async (ctx, { resolution, comment, ...alert }, before) => {
      const already = before.state === 'resolved' && before.resolution === resolution;
      if (!already) await change(ctx, alert, { state: 'resolved', resolution, comment: comment ?? null });
      return { resolution };
    },
    probe: async (ctx, { resolution, ...alert }) => {
      const { state, resolution: now } = await read(ctx, alert);
      return state === 'resolved' && now === resolution
        ? { state: 'done', out: { resolution } }
        : { state: 'not-done' };
    },
    undo: async (ctx, alert, before) => {
      const now = stateOf(await read(ctx, alert));
      if (now.state !== before.state || now.resolution !== before.resolution) await change(ctx, alert, before);
    },
  }),
};
