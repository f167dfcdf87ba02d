import { createHmac } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { createEmulator, type Emulator } from 'emulate';
import { z } from 'zod';
import { VirtualClock } from '../../src/core/clock.ts';
import type { EntryDraft } from '../../src/core/entry.ts';
import type { Plan } from '../../src/core/plan.ts';
import { sha256OfJson } from '../../src/custody/canonical.ts';
import { type Ledger, openLedger } from '../../src/custody/ledger.ts';
import { generateSigner } from '../../src/custody/signer.ts';
import type { Desk } from '../../src/decisions/desk.ts';
import type { Person, Policy, Roster } from '../../src/policy/policy.ts';
import { createSlack, SLACK_PATH, type Slack } from '../../src/slack/app.ts';
import type { SlackServices } from '../../src/slack/interaction.ts';
import type { Log } from '../../src/slack/log.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';

/** What the emulator gives without being asked: its one team, its first channel. */
export const TEAM = 'T000000001';
export const CHANNEL = 'C000000001';
export const BOT_TOKEN = ['xoxb', 'test', 'tourniquet'].join('-');
const SIGNING_SECRET = 'not-a-real-signing-secret';
const START = new Date('2026-03-01T03:12:00.000Z');
const BOT = { kind: 'bot', id: 'tourniquet', authn: 'engine' } as const;

export const ANA: Person = { id: 'ana', name: 'Ana', roles: ['responder', 'lead'], authn: ['slack:U0ANA'] };
export const BO: Person = { id: 'bo', name: 'Bo', roles: ['approver'], authn: ['slack:U0BO'] };

/** Lets every person in the roster do everything: what policy says is tested where policy is. */
const PERMISSIVE: Policy = {
  sha256: '0'.repeat(64),
  triage: () => ({ verdict: 'act', because: 'a test' }),
  approvalFor: () => ({ people: 1, roles: ['lead', 'approver'], because: 'a test' }),
  may: () => ({ ok: true, because: 'a test' }),
};
const ROSTER: Roster = {
  people: [ANA, BO],
  find: (authn) => [ANA, BO].find((person) => person.authn.includes(authn)),
};

export const planOf = (run: string, over: Partial<Plan> = {}): Plan => ({
  v: 1,
  run,
  runbook: 'leaked-aws-access-key',
  title: 'An AWS access key leaked',
  credential: { kind: 'aws.access-key', id: 'key-of-deploy', where: { account: '111122223333', user: 'deploy' } },
  params: {},
  phases: [
    {
      phase: 'contain',
      approval: { people: 1, roles: ['lead', 'approver'], because: 'the user is tagged production' },
      steps: [
        {
          kind: 'call',
          id: 'contain/disable',
          title: 'Disable the access key of deploy',
          effect: 'reversible',
          op: 'aws-iam.disable',
          input: { id: 'key-of-deploy' },
        },
        {
          kind: 'confirm',
          id: 'contain/dead',
          title: 'AWS refuses the key',
          op: 'aws-iam.live',
          input: { id: 'key-of-deploy' },
          expect: 'dead',
          withinMs: 60_000,
          settleMs: 5_000,
        },
      ],
    },
    {
      phase: 'retire',
      approval: { people: 1, roles: ['lead', 'approver'], because: 'deleting is final' },
      steps: [
        { kind: 'wait', id: 'retire/soak', title: 'Give its users time to move', forMs: 7 * 86_400_000 },
        {
          kind: 'call',
          id: 'retire/delete',
          title: 'Delete the access key of deploy',
          effect: 'irreversible',
          op: 'aws-iam.delete',
          input: { id: 'key-of-deploy' },
        },
      ],
    },
  ],
  ...over,
});

export interface Case {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly clock: VirtualClock;
  readonly desk: Desk;
  /** Appends to the run's journal, a second later, and says that the incident changed. */
  tell(incident: string, ...drafts: readonly EntryDraft[]): Promise<void>;
  /** Opens incident `inc-n` with a run `run-n` whose plan waits for an approval. */
  open(n: number, over?: { title?: string; plan?: Partial<Plan>; severity?: 'critical' | 'low' }): Promise<void>;
}

/** A real store and ledger, with nobody's engine at work. */
export async function openCase(file = ':memory:'): Promise<Case> {
  const store = await openSqlite(file);
  const clock = new VirtualClock(START);
  let ids = 0;
  const random = () => {
    ids += 1;
    return `00000000-0000-4000-8000-${String(ids).padStart(12, '0')}`;
  };
  const origin = 'example.org/tourniquet/slack';
  const signer = generateSigner(origin, new Uint8Array(32).fill(9));
  const tool = { name: 'tourniquet', version: '0.1.0', configSha256: '0'.repeat(64) };
  const ledger = await openLedger({ store, clock, mode: 'live', origin, tool, signer, random });
  const desk: Desk = { store, ledger, policy: PERMISSIVE, roster: ROSTER, clock, random };

  async function tell(incident: string, ...drafts: readonly EntryDraft[]): Promise<void> {
    clock.advance(1_000);
    await ledger.commit(async (tx, append) => {
      for (const draft of drafts) append({ ...draft, incident });
      await tx
        .updateTable('incident')
        .set((row) => ({ revision: row('revision', '+', 1) }))
        .where('id', '=', incident)
        .execute();
    });
  }

  return {
    store,
    ledger,
    clock,
    desk,
    tell,
    async open(n, { title = 'AWS access key in a public repository', plan: over = {}, severity = 'critical' } = {}) {
      const [incident, run] = [`inc-${n}`, `run-${n}`];
      const at = clock.now().toISOString();
      const plan = planOf(run, over);
      await store.transaction(async (tx) => {
        await tx
          .insertInto('incident')
          .values({
            id: incident,
            number: n,
            cause_key: `push-${n}`,
            title,
            severity,
            state: 'open',
            opened_at: at,
            closed_at: null,
            revision: 0,
          })
          .execute();
        await tx
          .insertInto('run')
          .values({
            id: run,
            incident,
            runbook: plan.runbook,
            credential_kind: plan.credential.kind,
            credential_id: plan.credential.id,
            lock_key: `lock-${n}`,
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
      });
      const assess: Plan = { ...plan, phases: [] };
      await tell(
        incident,
        {
          type: 'decision',
          actor: { kind: 'source', id: 'github', authn: 'hmac:github' },
          decision: {
            is: 'finding',
            source: 'github',
            dedupeKey: `alert-${n}`,
            title,
            severity,
            exposure: 'public',
            locations: [
              { label: 'acme/web: deploy.env line 3', url: 'https://github.com/acme/web/blob/1a2b3c4/deploy.env' },
            ],
            detectedAt: at,
            verdict: 'act',
            because: 'policy says so',
          },
        },
        {
          type: 'decision',
          actor: BOT,
          run,
          decision: {
            is: 'run-opened',
            runbook: plan.runbook,
            credential: plan.credential,
            params: {},
            severity,
            exposure: 'public',
            validity: 'active',
          },
        },
        { type: 'plan', actor: BOT, run, stage: 'assess', plan: assess, sha256: sha256OfJson(assess) },
        { type: 'plan', actor: BOT, run, stage: 'response', plan, sha256: sha256OfJson(plan) },
      );
    },
  };
}

const phaseBegun = (run: string): EntryDraft => ({
  type: 'decision',
  actor: BOT,
  run,
  decision: { is: 'phase-begun', phase: 'contain', because: 'approved by ana' },
});
const result = (run: string, step: string, outcome: 'done' | 'failed'): EntryDraft => ({
  type: 'result',
  actor: BOT,
  run,
  step,
  attempt: 1,
  outcome,
  by: 'call',
  ...(outcome === 'failed' ? { error: { code: 'denied', message: 'AWS says AccessDenied' } } : {}),
});
const ended = (run: string, ok: boolean): EntryDraft => ({
  type: 'decision',
  actor: BOT,
  run,
  decision: { is: 'phase-ended', phase: 'contain', ok, because: ok ? '2 of 2 steps done' : 'not done' },
});

/** What the engine would write of a containment that went well, or of one whose first step was refused. */
export const contained = (run: string): EntryDraft[] => [
  phaseBegun(run),
  result(run, 'contain/disable', 'done'),
  result(run, 'contain/dead', 'done'),
  ended(run, true),
];
export const stuck = (run: string): EntryDraft[] => [
  phaseBegun(run),
  result(run, 'contain/disable', 'failed'),
  result(run, 'contain/dead', 'done'),
  ended(run, false),
];

const messages = z.object({
  ok: z.literal(true),
  messages: z.array(
    z.looseObject({
      ts: z.string(),
      text: z.string(),
      blocks: z.array(z.looseObject({ type: z.string() })).optional(),
    }),
  ),
});
export type SlackMessage = z.infer<typeof messages>['messages'][number];

export interface FakeSlack {
  readonly url: string;
  history(): Promise<readonly SlackMessage[]>;
  replies(ts: string): Promise<readonly SlackMessage[]>;
  /** As another member of the channel. */
  post(body: object): Promise<string>;
  /** A trigger that opens one form, as a click brings it. */
  trigger(user: string): Promise<string>;
  close(): Promise<void>;
}

/** The Slack emulator, with only the scopes that our manifest asks for, and strict about them. */
export async function openSlack(scopes: readonly string[], port?: number): Promise<FakeSlack> {
  const emulator: Emulator = await createEmulator({
    service: 'slack',
    port: port ?? (await freePort()),
    seed: {
      slack: {
        strict_scopes: true,
        users: [{ name: 'ana' }],
        tokens: [
          { token: BOT_TOKEN, user_id: 'U000000001', scopes },
          { token: 'reader', user: 'ana', scopes: ['channels:history', 'chat:write'] },
        ],
      },
    },
  });
  const call = async (method: string, body: object): Promise<unknown> => {
    const response = await fetch(`${emulator.url}/api/${method}`, {
      method: 'POST',
      headers: { authorization: 'Bearer reader', 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return response.json();
  };
  return {
    url: emulator.url,
    history: async () => messages.parse(await call('conversations.history', { channel: CHANNEL })).messages,
    replies: async (ts) =>
      messages.parse(await call('conversations.replies', { channel: CHANNEL, ts })).messages.filter((m) => m.ts !== ts),
    post: async (body) =>
      z.object({ ts: z.string() }).parse(await call('chat.postMessage', { channel: CHANNEL, ...body })).ts,
    trigger: async (user) =>
      z.object({ trigger_id: z.string() }).parse(await call('views.generateTriggerId', { user_id: user })).trigger_id,
    close: () => emulator.close(),
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  const { port } = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(server: Server): Promise<AddressInfo> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server listens on no port');
  return address;
}

const answer = z.looseObject({
  response_type: z.literal('ephemeral'),
  replace_original: z.literal(false),
  text: z.string(),
  blocks: z.array(z.unknown()),
});
export type Answer = z.infer<typeof answer>;

/** Response URLs, which the emulator lacks: keeps what is posted to each path. */
export async function openAnswers(): Promise<{
  urlOf(name: string): string;
  /** The answers to `name`, once there is one. */
  next(name: string): Promise<Answer>;
  all(): readonly string[];
  close(): Promise<void>;
}> {
  const got: { readonly path: string; readonly body: string }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    got.push({ path: request.url ?? '', body: Buffer.concat(chunks).toString() });
    response.end('ok');
  });
  const { port } = await listening(server);
  return {
    urlOf: (name) => `http://127.0.0.1:${port}/${name}`,
    async next(name) {
      const body = await until(async () => got.find((each) => each.path === `/${name}`)?.body);
      return answer.parse(JSON.parse(body));
    },
    all: () => got.map((each) => each.body),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Asks again until there is something; fails loudly after ten seconds. */
export async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 1_000; i += 1) {
    const value = await ask();
    if (value !== undefined) return value;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('What was waited for did not come within ten seconds');
}

/** Acts are numbered across listeners: two with one name would be one act delivered twice. */
let acts = 0;

export interface Served {
  readonly slack: Slack;
  readonly logs: readonly string[];
  /** A form-encoded request as Slack signs it, now or at `at`; answers the status and how long the answer took. */
  send(form: Readonly<Record<string, string>>, over?: { at?: Date; secret?: string }): Promise<number>;
  command(text: string, more?: { user?: string; team?: string; id?: string; answerTo?: string }): Promise<number>;
  click(
    actionId: string,
    value: object,
    more?: { user?: string; team?: string; ts?: string; trigger?: string; answerTo?: string },
  ): Promise<number>;
  close(): Promise<void>;
}

/** Tourniquet's Slack side behind a real listener, with sleeping replaced by moving the clock. */
export async function serve(
  { desk, clock }: Pick<Case, 'desk' | 'clock'>,
  { apiUrl, services, answers }: { apiUrl: string; services: SlackServices; answers: { urlOf(name: string): string } },
): Promise<Served> {
  const logs: string[] = [];
  const log: Log = {
    warn: (details, message) => logs.push(`${message} ${JSON.stringify(details)}`),
    error: (details, message) => logs.push(`${message} ${JSON.stringify(details)}`),
  };
  const slack = createSlack({
    desk,
    services,
    log,
    config: { botToken: BOT_TOKEN, signingSecret: SIGNING_SECRET, channel: CHANNEL, apiUrl },
    sleep: async (ms) => {
      clock.advance(ms);
      await setImmediate();
    },
  });
  const server = createServer(slack.requestListener ?? undefined);
  const { port } = await listening(server);
  const served: Served = {
    slack,
    logs,
    async send(form, { at = new Date(), secret = SIGNING_SECRET } = {}) {
      const body = new URLSearchParams(form).toString();
      const timestamp = String(Math.floor(at.getTime() / 1_000));
      const signature = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
      const response = await fetch(`http://127.0.0.1:${port}${SLACK_PATH}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'x-slack-request-timestamp': timestamp,
          'x-slack-signature': `v0=${signature}`,
        },
        body,
      });
      await response.arrayBuffer();
      return response.status;
    },
    command(text, { user = 'U0ANA', team = TEAM, id, answerTo = 'command' } = {}) {
      acts += 1;
      return served.send({
        command: '/tq',
        text,
        trigger_id: id ?? `trigger-${acts}`,
        team_id: team,
        user_id: user,
        user_name: 'someone',
        channel_id: CHANNEL,
        response_url: answers.urlOf(answerTo),
      });
    },
    click(actionId, value, { user = 'U0ANA', team = TEAM, ts, trigger = 'trigger', answerTo = 'click' } = {}) {
      acts += 1;
      const payload = {
        type: 'block_actions',
        team: { id: team, domain: 'acme' },
        user: { id: user, team_id: team, name: 'someone' },
        trigger_id: trigger,
        response_url: answers.urlOf(answerTo),
        channel: { id: CHANNEL, name: 'incidents' },
        container: { type: 'message', channel_id: CHANNEL, message_ts: '1.1' },
        actions: [
          {
            type: 'button',
            action_id: actionId,
            block_id: 'b',
            action_ts: ts ?? `1700000000.${acts}`,
            value: JSON.stringify(value),
            text: { type: 'plain_text', text: 'x' },
          },
        ],
      };
      return served.send({ payload: JSON.stringify(payload) });
    },
    async close() {
      await slack.stop();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return served;
}

/** What a message's blocks say to someone who reads them, without their form. */
export function readable(blocks: readonly unknown[]): string {
  return blocks.map((block) => wordsIn(block)).join('\n');
}

function wordsIn(node: unknown): string {
  if (Array.isArray(node)) return node.map(wordsIn).join('');
  if (typeof node !== 'object' || node === null) return '';
  const { type, text, url, elements } = { type: '', text: '', url: '', elements: [], ...node };
  if (type === 'divider') return '────────';
  if (type === 'actions') return `[ ${elements.map(wordsIn).join(' ] [ ')} ]`;
  if (type === 'link') return url;
  return typeof text === 'string' && text !== '' ? text : `${wordsIn(text)}${wordsIn(elements)}`;
}
