import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { createConsole } from '../../src/console/console.ts';
import { randomToken } from '../../src/console/link.ts';
import { localSession, type Session } from '../../src/console/session.ts';
import type { Decision, EntryDraft, Mode } from '../../src/core/entry.ts';
import type { Json } from '../../src/core/json.ts';
import type { ApprovalRule, Plan, PlannedStep } from '../../src/core/plan.ts';
import { sha256OfJson } from '../../src/custody/canonical.ts';
import type { Desk } from '../../src/decisions/desk.ts';
import type { Person, PersonAction, Policy, Roster } from '../../src/policy/policy.ts';
import { BOT, type Fixture, openFixture } from '../custody/fixture.ts';

export const ANA: Person = {
  id: 'ana',
  name: 'Ana Ruiz',
  roles: ['lead', 'approver', 'responder'],
  authn: ['console:local', 'console:ana'],
};
export const BO: Person = { id: 'bo', name: 'Bo Lind', roles: ['responder'], authn: ['console:bo'] };
export const CAT: Person = { id: 'cat', name: 'Cat Osei', roles: [], authn: ['console:cat'] };

const NEEDS: Record<PersonAction, Person['roles'][number]> = {
  view: 'responder',
  revoke: 'responder',
  answer: 'responder',
  retry: 'responder',
  drill: 'responder',
  approve: 'approver',
  deny: 'approver',
  undo: 'lead',
  freeze: 'lead',
  thaw: 'lead',
};
/** Roles as the default policies give them out, without the policy engine. */
const policy: Policy = {
  sha256: 'f'.repeat(64),
  triage: () => ({ verdict: 'act', because: 'a test' }),
  approvalFor: () => ({ people: 0, roles: [], because: 'a test' }),
  may: (person, action) =>
    person.roles.includes(NEEDS[action])
      ? { ok: true, because: '' }
      : { ok: false, because: `only a ${NEEDS[action]} may ${action}.` },
};

export interface World extends Fixture {
  readonly desk: Desk;
  readonly roster: Roster;
  readonly troubles: unknown[];
}

export async function openWorld(mode: Mode = 'sandbox'): Promise<World> {
  const fixture = await openFixture({ mode });
  const people = [ANA, BO, CAT];
  const roster: Roster = { people, find: (authn) => people.find((each) => each.authn.includes(authn)) };
  const desk: Desk = { ...fixture, policy, roster, random: randomUUID };
  return { ...fixture, desk, roster, troubles: [] };
}

export interface Served {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** The console on a real port of 127.0.0.1, beside a route that is not its own. */
export async function serveConsole(
  { desk, troubles }: World,
  {
    session = localSession(),
    publicUrl,
    tickMs = 200,
    port: wanted = 0,
  }: { session?: Session; publicUrl?: URL; tickMs?: number; port?: number } = {},
): Promise<Served> {
  const app = new Hono();
  app.route(
    '/',
    createConsole({
      desk,
      session,
      newToken: randomToken,
      tickMs,
      onTrouble: (error) => troubles.push(error),
      ...(publicUrl ? { publicUrl } : {}),
    }),
  );
  app.get('/healthz', (c) => c.text('ok'));
  const server = await new Promise<ReturnType<typeof serve>>((resolve) => {
    const starting = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: wanted }, () => resolve(starting));
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
}

export interface Story {
  readonly number: number;
  readonly title?: string;
  readonly location?: string;
  readonly locationUrl?: string;
  readonly requestedBy?: string;
  readonly approval?: ApprovalRule;
}

export const RULE: ApprovalRule = { people: 1, roles: ['lead', 'approver'], because: 'the user is tagged production' };

const incidentOf = (number: number): string => `incident-${number}`;
export const runOf = (number: number): string => `run-${number}`;
const SOURCE = { kind: 'source', id: 'github', authn: 'hmac:github' } as const;
const keyId = (number: number): string => ['AKIA', 'EXAMPLE', String(number).padStart(9, '0')].join('');
const credentialOf = (number: number) => ({
  kind: 'aws.access-key',
  id: keyId(number),
  where: { account: '111122223333', user: 'deploy-production' },
});

const call = (
  id: string,
  title: string,
  effect: 'observe' | 'reversible' | 'irreversible',
  op: string,
): PlannedStep => ({
  id,
  title,
  kind: 'call',
  effect,
  op,
  input: { user: 'deploy-production' },
});

const planOf = (run: string, number: number, phases: Plan['phases']): Plan => ({
  v: 1,
  run,
  runbook: 'leaked-aws-access-key',
  title: 'An AWS access key is outside our control',
  credential: credentialOf(number),
  params: {},
  phases,
});

const NOBODY: ApprovalRule = { people: 0, roles: [], because: 'it can be undone and the key is public' };

const responsePlan = ({ number, approval = RULE }: Story): Plan =>
  planOf(runOf(number), number, [
    {
      phase: 'contain',
      approval,
      steps: [
        call('contain/disable', 'Disable the key', 'reversible', 'aws-iam.disable'),
        call('contain/deny', 'Deny everything to the user deploy-production', 'reversible', 'aws-iam.denyAll'),
        {
          id: 'contain/dead',
          title: 'The key no longer works',
          kind: 'confirm',
          op: 'aws-iam.liveness',
          input: {},
          expect: 'dead',
          withinMs: 300_000,
          settleMs: 30_000,
        },
      ],
    },
    {
      phase: 'rotate',
      approval: NOBODY,
      steps: [
        call('rotate/create', 'Create a new key straight into Secrets Manager', 'reversible', 'aws-iam.createKey'),
        {
          id: 'rotate/ci',
          title: 'Point the nightly job at the new key',
          kind: 'guided',
          instructions: 'Open the job “nightly” in the build server.\nReplace the credential with prod/deploy-key.',
          link: 'https://ci.example.org/job/nightly',
          asks: 'What did you change?',
        },
      ],
    },
    {
      phase: 'retire',
      approval,
      steps: [
        { id: 'retire/soak', title: 'Let users of the old key show themselves', kind: 'wait', forMs: 604_800_000 },
        call('retire/delete', 'Delete the old key', 'irreversible', 'aws-iam.remove'),
      ],
    },
  ]);

/** The name of the plan that people of story `story` are shown. */
export const planShaOf = (story: Story): string => sha256OfJson(responsePlan(story));

/** Writes drafts of the story's run, a second apart. */
async function write(world: World, number: number, drafts: readonly EntryDraft[]): Promise<void> {
  for (const draft of drafts) {
    await world.ledger.commit(async (_tx, append) => {
      append({ ...draft, incident: incidentOf(number), run: runOf(number) });
    });
    world.clock.advance(1_000);
  }
}

const decided = (decision: Decision): EntryDraft => ({ type: 'decision', actor: BOT, decision });
const intent = (step: string, before: Json): EntryDraft => ({
  type: 'intent',
  actor: BOT,
  step,
  attempt: 1,
  op: 'aws-iam.disable',
  input: {},
  before,
  idempotencyKey: step,
});
const done = (step: string, out: Json): EntryDraft => ({
  type: 'result',
  actor: BOT,
  step,
  attempt: 1,
  outcome: 'done',
  by: 'call',
  out,
});
const failed = (step: string, message: string): EntryDraft => ({
  type: 'result',
  actor: BOT,
  step,
  attempt: 1,
  outcome: 'failed',
  by: 'call',
  error: { code: 'denied', message },
});

/** An incident whose plan is made and waits for an approval. */
export async function tellStory(world: World, story: Story): Promise<void> {
  const { number, requestedBy } = story;
  const title = story.title ?? 'AWS access key pushed to the public repository acme/web';
  const credential = credentialOf(number);
  const at = world.clock.now().toISOString();
  await world.ledger.commit(async (tx, append) => {
    await tx
      .insertInto('incident')
      .values({
        id: incidentOf(number),
        number,
        cause_key: `push-${number}`,
        title,
        severity: 'critical',
        state: 'open',
        opened_at: at,
        closed_at: null,
        revision: 1,
      })
      .execute();
    await tx
      .insertInto('run')
      .values({
        id: runOf(number),
        incident: incidentOf(number),
        runbook: 'leaked-aws-access-key',
        credential_kind: credential.kind,
        credential_id: credential.id,
        lock_key: `${credential.kind}:${credential.id}`,
        opened_at: at,
        wake_at_ms: null,
        priority: 0,
        state: 'open',
        status: 'waiting-approval',
        lease_owner: null,
        lease_until_ms: 0,
        epoch: 0,
      })
      .execute();
    const ofIncident = { incident: incidentOf(number), actor: SOURCE } as const;
    append({
      ...ofIncident,
      type: 'decision',
      decision: { is: 'incident-opened', title, severity: 'critical', cause: `push-${number}` },
    });
    append({
      ...ofIncident,
      type: 'decision',
      decision: {
        is: 'finding',
        source: 'github',
        dedupeKey: `finding-${number}`,
        title,
        severity: 'critical',
        exposure: 'public',
        locations: [
          {
            label: story.location ?? 'acme/web: deploy.env line 3, commit 1a2b3c4',
            url: story.locationUrl ?? 'https://github.com/acme/web/blob/1a2b3c4/deploy.env#L3',
          },
        ],
        detectedAt: at,
        verdict: 'act',
        because: 'the key is ours and works',
      },
    });
  });
  const assess = planOf(runOf(number), number, [
    {
      phase: 'assess',
      approval: NOBODY,
      steps: [call('assess/lastUsed', 'Record its last use', 'observe', 'aws-iam.lastUsed')],
    },
  ]);
  const response = responsePlan(story);
  await write(world, number, [
    decided({
      is: 'run-opened',
      runbook: 'leaked-aws-access-key',
      credential,
      params: {},
      severity: 'critical',
      exposure: 'public',
      validity: 'active',
      ...(requestedBy ? { requestedBy } : {}),
    }),
    { type: 'plan', actor: BOT, stage: 'assess', plan: assess, sha256: sha256OfJson(assess) },
    decided({ is: 'phase-begun', phase: 'assess', because: 'it only reads' }),
    done('assess/lastUsed', { at: '2026-03-01T08:58:20Z', service: 's3', region: 'eu-central-1' }),
    decided({ is: 'phase-ended', phase: 'assess', ok: true, because: '1 of 1 steps done' }),
    { type: 'plan', actor: BOT, stage: 'response', plan: response, sha256: sha256OfJson(response) },
  ]);
}

const begun = (phase: 'contain' | 'rotate'): EntryDraft =>
  decided({ is: 'phase-begun', phase, because: 'approved by ana' });

/** The plan is made anew, as `story` says now. */
export async function tellNewPlan(world: World, story: Story): Promise<void> {
  const plan = responsePlan(story);
  await write(world, story.number, [{ type: 'plan', actor: BOT, stage: 'response', plan, sha256: sha256OfJson(plan) }]);
}

/** Goes on from an approval: the key is dead and proved so. */
export const tellContained = (world: World, number: number): Promise<void> =>
  write(world, number, [
    begun('contain'),
    intent('contain/disable', { status: 'Active' }),
    done('contain/disable', { status: 'Inactive' }),
    intent('contain/deny', { policy: null }),
    done('contain/deny', { policy: 'tourniquet-deny-all' }),
    done('contain/dead', null),
    decided({ is: 'phase-ended', phase: 'contain', ok: true, because: '3 of 3 steps done' }),
  ]);

/** Goes on from containment to the step that a person must do. */
export const tellGuided = (world: World, number: number): Promise<void> =>
  write(world, number, [
    begun('rotate'),
    intent('rotate/create', null),
    done('rotate/create', { id: keyId(number + 1) }),
  ]);

/** Goes on from an approval: the provider refuses, and a person must look. */
export const tellStuck = (world: World, number: number): Promise<void> =>
  write(world, number, [
    begun('contain'),
    intent('contain/disable', { status: 'Active' }),
    failed('contain/disable', 'AWS refused: the bot may not call iam:UpdateAccessKey. Grant it, then try again.'),
    intent('contain/deny', { policy: null }),
    done('contain/deny', { policy: 'tourniquet-deny-all' }),
    done('contain/dead', null),
    decided({ is: 'phase-ended', phase: 'contain', ok: false, because: 'not done: Disable the key' }),
  ]);
