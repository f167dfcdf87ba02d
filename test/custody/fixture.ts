import { VirtualClock } from '../../src/core/clock.ts';
import type { EntryDraft } from '../../src/core/entry.ts';
import type { Plan } from '../../src/core/plan.ts';
import { sha256OfJson } from '../../src/custody/canonical.ts';
import { type Ledger, openLedger } from '../../src/custody/ledger.ts';
import { generateSigner, type Signer } from '../../src/custody/signer.ts';
import { openSqlite } from '../../src/store/sqlite.ts';
import type { Store } from '../../src/store/store.ts';

export const ORIGIN = 'example.org/tourniquet/test';
export const START = new Date('2026-03-01T09:00:00.000Z');

export interface Fixture {
  readonly store: Store;
  readonly clock: VirtualClock;
  readonly signer: Signer;
  readonly ledger: Ledger;
}

/** A real ledger in memory whose ids, keys and times are the same on every run. */
export async function openFixture(
  over: { file?: string; on?: Store; origin?: string; mode?: Ledger['mode']; signer?: Signer } = {},
): Promise<Fixture> {
  const origin = over.origin ?? ORIGIN;
  const store = over.on ?? (await openSqlite(over.file ?? ':memory:'));
  const clock = new VirtualClock(START);
  const signer = over.signer ?? generateSigner(origin, new Uint8Array(32).fill(7));
  let ids = over.on ? 1_000 : 0; // another boot on the same store gives other ids
  const random = () => {
    ids += 1;
    return `00000000-0000-4000-8000-${String(ids).padStart(12, '0')}`;
  };
  const tool = { name: 'tourniquet', version: '0.1.0', configSha256: '0'.repeat(64) };
  const ledger = await openLedger({ store, clock, mode: over.mode ?? 'live', origin, tool, signer, random });
  return { store, clock, signer, ledger };
}

export const BOT = { kind: 'bot', id: 'tourniquet', authn: 'engine' } as const;
export const ALICE = { kind: 'person', id: 'alice', authn: 'slack:U1' } as const;
export const BOB = { kind: 'person', id: 'bob', authn: 'slack:U2' } as const;

export const heartbeat: EntryDraft = { type: 'heartbeat', actor: BOT };

/** Appends each draft in a commit of its own, a second apart. */
export async function append(
  { ledger, clock }: Pick<Fixture, 'ledger' | 'clock'>,
  drafts: readonly EntryDraft[],
): Promise<void> {
  for (const draft of drafts) {
    await ledger.commit(async (_tx, append) => append(draft));
    clock.advance(1_000);
  }
}

export const PLAN: Plan = {
  v: 1,
  run: 'run-1',
  runbook: 'leaked-aws-access-key',
  title: 'An AWS access key is outside our control',
  credential: { kind: 'aws.access-key', id: 'key-1', where: { account: '111122223333', user: 'deploy' } },
  params: {},
  phases: [
    {
      phase: 'contain',
      approval: { people: 1, roles: ['security'], because: 'the user is tagged production' },
      steps: [
        {
          id: 'contain/disable',
          title: 'Disable the key',
          kind: 'call',
          effect: 'reversible',
          op: 'aws-iam.disable',
          input: { id: 'key-1' },
        },
      ],
    },
  ],
};

const OBJECT = { provider: 'aws', account: '111122223333', kind: 'aws.access-key', ref: 'key-1' } as const;
const OF_RUN = { incident: 'inc-1', run: 'run-1', object: OBJECT } as const;

export const runOpened = (requestedBy: string): EntryDraft => ({
  ...OF_RUN,
  type: 'decision',
  actor: BOT,
  decision: {
    is: 'run-opened',
    runbook: PLAN.runbook,
    credential: PLAN.credential,
    params: {},
    severity: 'critical',
    exposure: 'public',
    validity: 'active',
    requestedBy,
  },
});
export const planned = (plan: Plan = PLAN): EntryDraft => ({
  ...OF_RUN,
  type: 'plan',
  actor: BOT,
  stage: 'response',
  plan,
  sha256: sha256OfJson(plan),
});
export const approval = (planSha256: string = sha256OfJson(PLAN), actor: EntryDraft['actor'] = BOB): EntryDraft => ({
  ...OF_RUN,
  type: 'approval',
  actor,
  verdict: 'approve',
  planSha256,
  phases: ['contain'],
  expiresAt: '2026-03-01T10:00:00.000Z',
  nonce: 'nonce-1',
});
export const intent: EntryDraft = {
  ...OF_RUN,
  type: 'intent',
  actor: BOT,
  step: 'contain/disable',
  attempt: 1,
  op: 'aws-iam.disable',
  input: { id: 'key-1' },
  before: { status: 'Active' },
  idempotencyKey: 'run-1:contain/disable',
};
export const done: EntryDraft = {
  ...OF_RUN,
  type: 'result',
  actor: BOT,
  step: 'contain/disable',
  attempt: 1,
  outcome: 'done',
  by: 'call',
  out: { status: 'Inactive' },
  requestIds: ['req-1'],
};

/** One whole incident, with a stranger's commit message in it and other business around it. */
export const STORY: readonly EntryDraft[] = [
  heartbeat,
  {
    incident: 'inc-1',
    type: 'decision',
    actor: { kind: 'source', id: 'github', authn: 'hmac:github' },
    decision: {
      is: 'incident-opened',
      title: '<script>alert("e\u0301")</script>',
      severity: 'critical',
      cause: 'push-1',
    },
  },
  runOpened('alice'),
  heartbeat,
  planned(),
  approval(),
  intent,
  heartbeat,
  done,
  { incident: 'inc-2', type: 'access', actor: ALICE, what: 'console', purpose: 'review' },
];
