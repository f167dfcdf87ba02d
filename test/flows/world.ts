import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type App, createApp } from '../../src/app.ts';
import { readConfig, thisMachine } from '../../src/config.ts';
import { VirtualClock } from '../../src/core/clock.ts';
import type { Connector } from '../../src/core/connector.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Faults } from '../../src/core/simulator.ts';
import { exportBundle } from '../../src/custody/bundle.ts';
import { decide } from '../../src/decisions/approve.ts';
import type { Said } from '../../src/decisions/desk.ts';
import { answerStep } from '../../src/decisions/help.ts';
import { genericAlert } from '../../src/drill/drill-sdk.ts';
import type { Delivery } from '../../src/drill/scenario.ts';
import { ACCOUNT, type OpenWorld, openWorld } from '../../src/drill/world.ts';
import type { Brake } from '../../src/engine/brake.ts';
import { loadBuiltIns } from '../../src/extensions.ts';
import { type IncidentView, listIncidents, type RunView, readIncident } from '../../src/incident/view.ts';
import { ingestRoutes } from '../../src/ingest/server.ts';
import { awsHealth } from '../../src/ingest/sources/aws-health.ts';
import { genericSource } from '../../src/ingest/sources/generic.ts';
import { githubSource } from '../../src/ingest/sources/github.ts';
import { guardDuty } from '../../src/ingest/sources/guardduty.ts';
import { snsSource } from '../../src/ingest/sources/sns.ts';
import { parseInventory } from '../../src/inventory.ts';
import { listen, listenerOf } from '../../src/listen.ts';
import { openBot } from '../../src/modes/bot.ts';
import type { Person } from '../../src/policy/policy.ts';
import { card } from '../../src/slack/card.ts';
import { createStory } from '../../src/story.ts';
import { selfSigned } from '../ingest/certificate.ts';
import { snsBody, TOPIC } from '../ingest/signing.ts';

export { ACCOUNT } from '../../src/drill/world.ts';
export const WEB = { owner: 'acme', repo: 'web' };

const START = new Date('2026-05-04T10:00:00.000Z');
const DAY_MS = 86_400_000;
const sns = selfSigned(
  'sns.amazonaws.com',
  new Date(START.getTime() - DAY_MS),
  new Date(START.getTime() + 30 * DAY_MS),
);

const PEOPLE: readonly Person[] = [
  { id: 'ana', name: 'Ana', roles: ['responder'], authn: ['cli:ana'] },
  { id: 'lee', name: 'Lee', roles: ['lead', 'approver'], authn: ['cli:lee'] },
  { id: 'kim', name: 'Kim', roles: ['approver'], authn: ['cli:kim'] },
];

const { connectors, runbooks } = await loadBuiltIns();

/** The whole bot, its doors open, among simulated AWS and GitHub over HTTP, on a clock that only moves when told. */
export interface Flow {
  readonly world: OpenWorld;
  readonly clock: VirtualClock;
  readonly app: App;
  /** Every call that reached a provider, by the provider's name for it, in order; those that a fault answered too. */
  readonly calls: readonly string[];
  /** The access key of a new user with every right; `user` may have one of its own already. */
  key(user?: string): { readonly id: string; readonly secret: string; readonly user: string };
  /** A private key or another secret that the simulators do not list as one: it must appear nowhere. */
  plant(secret: string): void;
  post(delivery: Delivery): Promise<{ readonly status: number; readonly body: JsonObject }>;
  /** An EventBridge event, through a topic of SNS that signs by `version`. */
  postEvent(event: JsonObject, version?: '1' | '2'): ReturnType<Flow['post']>;
  /** Works and passes time until nothing is due but what waits for people, or `until` says enough. */
  settle(until?: () => boolean | Promise<boolean>): Promise<void>;
  /** Oldest first. */
  incidents(): Promise<readonly IncidentView[]>;
  incident(): Promise<IncidentView>;
  run(): Promise<RunView>;
  verdict(authn: string, verdict?: 'approve' | 'deny', run?: RunView): Promise<Said>;
  /** Approves and answers as Lee until nothing waits for anybody. */
  finish(): Promise<void>;
  /** Stops everything and checks what must hold after every flow: no error of our own, no secret anywhere, nothing left sealed. */
  end(): Promise<void>;
}

export interface FlowOptions {
  readonly inventory?: readonly JsonObject[];
  readonly brake?: Brake;
  /** How long a call may take, in real time; as long as its operation says unless told. */
  readonly timeoutMs?: number;
}

export async function openFlow({ inventory = [], brake, timeoutMs }: FlowOptions = {}): Promise<Flow> {
  const clock = new VirtualClock(START);
  const world = await openWorld({ now: () => clock.now(), propagationMs: 3_000 });
  const calls = [...recorded(world.aws.faults), ...recorded(world.github.faults)];
  const dir = mkdtempSync(join(tmpdir(), 'tourniquet-flow-'));
  const read = readConfig({ TOURNIQUET_DATA_DIR: dir }, thisMachine(), connectors);
  if (!read.ok) throw new Error('the configuration of the test is wrong');
  const errors: unknown[] = [];
  const { webhookSecret } = world;
  const options = await openBot(brake ? { ...read.config, brake } : read.config, {
    mode: 'sandbox',
    dataDir: dir,
    connectors: timeoutMs === undefined ? connectors : connectors.map((each) => hurried(each, timeoutMs)),
    runbooks,
    env: world.env,
    guard: world.guard,
    sources: [
      githubSource({ secrets: [webhookSecret] }),
      genericSource({ secrets: [webhookSecret] }),
      snsSource({ topics: [TOPIC], fetchCertificate: async () => sns.pem, events: [guardDuty, awsHealth] }),
    ],
    people: PEOPLE,
    inventory: parseInventory(JSON.stringify(inventory), 'the test'),
    onError: (error) => errors.push(error),
    clock,
  });
  const app = await createApp(options);
  const story = createStory({ colour: false });
  const said: string[] = [];
  app.ledger.onAppend((entries) => said.push(...story.tell(entries)));
  const routes = ingestRoutes({
    sources: options.sources,
    inbox: app.inbox,
    clock,
    limits: { maxBytes: 1_048_576, withinMs: 10_000 },
    onAccepted: () => app.bell.ring(),
    visit: async () => {},
    onTrouble: (error) => errors.push(error),
  });
  const door = await listen(listenerOf(routes.fetch), { host: '127.0.0.1', port: 0 });
  const planted: string[] = [];
  let users = 0;
  let messages = 0;

  const flow: Flow = {
    world,
    clock,
    app,
    get calls() {
      return calls.flatMap((heard) => heard());
    },
    key(given) {
      users += 1;
      const user = given ?? `user-${users}`;
      const { world: aws } = world.aws;
      if (!aws.account(ACCOUNT).users.has(user)) aws.addUser(ACCOUNT, user, ['AdministratorAccess']);
      return { ...aws.addKey(ACCOUNT, user), user };
    },
    plant: (secret) => void planted.push(secret),
    async post({ path, headers, body }) {
      const response = await fetch(`${door.url}${path}`, { method: 'POST', headers: { ...headers }, body });
      return { status: response.status, body: (await response.json()) as JsonObject };
    },
    postEvent(event, SignatureVersion = '2') {
      messages += 1;
      const MessageId = `22b80b92-fdea-4c2c-8f9d-${String(messages).padStart(12, '0')}`;
      const changes = { SignatureVersion, MessageId };
      const body = snsBody(JSON.stringify(event), sns.privateKey, clock.now(), changes);
      return flow.post({ path: '/webhooks/sns', headers: { 'content-type': 'text/plain' }, body });
    },
    async settle(until = () => false) {
      for (let turn = 0; turn < 2_000; turn += 1) {
        const due = await app.drain();
        if (due === null || (await until())) return;
        clock.moveTo(new Date(due));
      }
      throw new Error('it never settles');
    },
    async incidents() {
      const lines = await listIncidents(options.store.db, { limit: 100, open: false });
      const views = await Promise.all(lines.map(({ id }) => readIncident(options.store.db, id, clock.now())));
      return views.filter((view) => view !== null).reverse();
    },
    async incident() {
      const newest = (await flow.incidents()).at(-1);
      if (!newest) throw new Error('there is no incident');
      return newest;
    },
    async run() {
      const newest = (await flow.incident()).runs.at(-1);
      if (!newest) throw new Error('the newest incident has no run');
      return newest;
    },
    async verdict(authn, verdict = 'approve', given) {
      const run = given ?? (await flow.run());
      if (run.planSha256 === undefined) throw new Error('there is no plan yet');
      return decide(app.desk, { run: run.id, planSha256: run.planSha256, verdict, authn });
    },
    async finish() {
      for (let turn = 0; turn < 200; turn += 1) {
        await flow.settle();
        const runs = (await flow.incidents()).flatMap((each) => each.runs);
        const said = await Promise.all(runs.map((run) => oneDecision(flow, run)));
        if (said.every((each) => each === null)) return;
        for (const each of said) if (each) expect(each).toMatchObject({ ok: true });
      }
      throw new Error('people are asked for ever');
    },
    async end() {
      const { store, signer, tool } = options;
      const open = await store.db.selectFrom('run').select('id').where('state', '=', 'open').execute();
      const sealed = await store.db.selectFrom('sealed').select('id').where('ciphertext', 'is not', null).execute();
      const ledger = await store.db.selectFrom('ledger').select('bytes').execute();
      const views = await flow.incidents();
      const bundle = await exportBundle({ store, signer, tool, now: clock.now() });
      const whileOpen = Buffer.concat(filesOf(dir));
      await door.close();
      await app.stop();
      await world.close();
      const afterwards = Buffer.concat(filesOf(dir));
      rmSync(dir, { recursive: true, force: true });
      expect(errors).toEqual([]);
      const places = {
        'the ledger': Buffer.concat(ledger.map(({ bytes }) => bytes)),
        'the database while it is open': whileOpen,
        'the database afterwards': afterwards,
        'the bundle': bundle,
        'the terminal': Buffer.from(said.join('\n')),
        'a card in Slack': Buffer.from(JSON.stringify(views.map((view) => card(view)))),
      };
      const secrets = [...world.aws.world.secrets(), ...world.github.world.state.tokens.keys(), ...planted];
      const leaks = Object.entries(places).filter(([, bytes]) =>
        secrets.flatMap(linesOf).some((secret) => bytes.includes(secret)),
      );
      expect(leaks.map(([place]) => place)).toEqual([]);
      if (open.length === 0) expect(sealed).toEqual([]);
    },
  };
  return flow;
}

/** The signed delivery of a new alert that GitHub has on a secret. */
export function githubAlert(
  { world }: Flow,
  secret: string,
  given: { readonly secretType?: string; readonly publiclyLeaked?: boolean; readonly where?: typeof WEB } = {},
): { readonly delivery: Delivery; readonly number: number } {
  const { secretType = 'aws_access_key_id', publiclyLeaked = true, where = WEB } = given;
  const { github } = world;
  github.world.repository(where, { visibility: publiclyLeaked ? 'public' : 'private' });
  const alert = github.world.addAlert(where, { secret, secretType, publiclyLeaked });
  return { delivery: githubDelivery(world, { ...where, number: alert.number }), number: alert.number };
}

/** One more delivery for an alert that is there, under an id of its own. */
export const githubDelivery = (
  { github, webhookSecret }: OpenWorld,
  alert: typeof WEB & { readonly number: number },
): Delivery => ({ path: '/webhooks/github', ...github.signedWebhook(alert, 'publicly_leaked', webhookSecret) });

/** A signed alert in our own format; what `alert` leaves out does not matter to the test. */
export function genericDelivery({ world }: Flow, alert: JsonObject): Delivery {
  alerts += 1;
  const detectedAt = world.now().toISOString();
  return genericAlert(world, {
    id: `alert-${alerts}`,
    title: 'Something leaked',
    severity: 'high',
    detectedAt,
    ...alert,
  });
}
let alerts = 0;

/** What the user of AWS has now: keys with their status, and policies with their texts. */
export function userState({ world }: Flow, user: string) {
  const { aws } = world;
  const { policies, attached } = aws.world.user(ACCOUNT, user);
  const keys = aws.world.keys(ACCOUNT, user).map(({ id, status }) => ({ id, status }));
  return structuredClone({ keys, policies: [...policies], attached: [...attached] });
}

/** How often AWS really did `action`, by its own trail. */
export const doneByAws = ({ world }: Flow, action: string): number =>
  world.aws.world
    .account(ACCOUNT)
    .trail.filter(({ eventName, errorCode }) => eventName === action && errorCode === undefined).length;

/** A call of a simulator is heard where it asks whether it shall go wrong. */
function recorded(faults: Faults): [() => readonly string[]] {
  const heard: string[] = [];
  const take = faults.take.bind(faults);
  faults.take = (action) => {
    heard.push(action);
    return take(action);
  };
  return [() => heard];
}

const hurried = (connector: Connector, timeoutMs: number): Connector => ({
  ...connector,
  open(env, outside) {
    const opened = connector.open(env, outside);
    const operations = new Map([...opened.operations].map(([name, each]) => [name, { ...each, timeoutMs }]));
    return { ...opened, operations };
  },
});

async function oneDecision(flow: Flow, run: RunView): Promise<Said | null> {
  if (run.action.do !== 'await') return null;
  const { what } = run.action;
  if (what.need === 'approval') return flow.verdict('cli:lee', 'approve', run);
  if (what.need === 'answer')
    return answerStep(flow.app.desk, { run: run.id, step: what.step, answer: 'done', authn: 'cli:lee' });
  return null;
}

const filesOf = (dir: string): readonly Buffer[] =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));

/** A secret of several lines may be broken anywhere: each of its lines is one. */
const linesOf = (secret: string): readonly string[] =>
  secret.split('\n').filter((line) => line.length >= 16 && !line.startsWith('-----'));
