import type { Entry, EntryBody } from '../../src/core/entry.ts';
import type { Json } from '../../src/core/json.ts';
import type { ApprovalRule, Phase, Plan, PlannedStep } from '../../src/core/plan.ts';
import { type IncidentView, runView } from '../../src/incident/view.ts';

export const T0 = Date.parse('2026-03-01T03:12:00.000Z');
const KEY = ['AKIA', 'EXAMPLE000000001'].join('');
export const HEAD = { origin: 'example.org/tourniquet', size: 1_234, root: 'ab'.repeat(32) };

/** What a stranger may put into a commit message, a path, a user agent or a provider's answer. */
export const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '[click](javascript:alert(1))',
  '![pixel](https://evil.example/p.png)',
  '# heading\n- [x] done | cell | **bold** `code` ~~gone~~',
  'https://evil.example/phish www.evil.example <https://evil.example> @everyone',
  '</style><style>body{display:none}</style>',
  'a\u202egnp.exe\u0000\u001b[31m',
  '&lt;b&gt; &#x3c;i&#x3e;',
];

const ALONE: ApprovalRule = { people: 0, roles: [], because: 'anyone can read it' };
const ASKED: ApprovalRule = { people: 1, roles: ['lead', 'approver'], because: 'whoever uses it will feel this' };

type CallEffect = 'observe' | 'reversible' | 'irreversible';
const call = (id: string, title: string, effect: CallEffect): PlannedStep => ({
  kind: 'call',
  id,
  title,
  effect,
  op: `aws-iam.${id.split('/')[1]}`,
  input: null,
});

export interface StoryOptions {
  /** Appended to every text that a stranger can choose. */
  readonly hostile?: string;
  /** How far it went. */
  /** The person who asked for it, where no alert did. */
  readonly requestedBy?: string;
  readonly until?: 'contained' | 'soaking' | 'retired' | 'undone';
}

/** A leaked key, from the alert to its end or to where it is left; entries stand 10 s apart unless the story says otherwise. */
export function storyOf({ hostile = '', requestedBy, until = 'retired' }: StoryOptions = {}): {
  readonly incident: IncidentView;
  readonly now: Date;
} {
  const entries: Entry[] = [];
  let at = T0;
  const add = (
    body: EntryBody,
    more: { person?: string; why?: string; run?: boolean; after?: number; approvals?: readonly number[] } = {},
  ): void => {
    at += more.after ?? 10_000;
    const { person } = more;
    entries.push({
      ...body,
      v: 1,
      ledger: HEAD.origin,
      seq: entries.length,
      id: `entry-${entries.length}`,
      time: { utc: new Date(at).toISOString(), source: 'virtual', monotonicNs: '0', bootId: 'boot' },
      mode: 'live',
      tool: { name: 'tourniquet', version: '0.1.0', configSha256: '0'.repeat(64) },
      actor: person
        ? { kind: 'person', id: person, authn: `slack:${person}` }
        : { kind: 'bot', id: 'tourniquet', authn: 'engine' },
      incident: 'incident-1',
      ...(more.run === false ? {} : { run: 'run-1' }),
      ...(more.why === undefined ? {} : { why: more.why }),
      ...(more.approvals === undefined ? {} : { authority: { approvals: more.approvals } }),
    });
  };
  const done = (step: string, out: Json = null): void =>
    add({ type: 'result', step, attempt: 1, outcome: 'done', by: 'call', out });
  const intent = (step: string, before: Json = null, attempt = 1): void =>
    add({ type: 'intent', step, attempt, op: 'aws-iam.x', input: null, before, idempotencyKey: step });
  const began = (phase: Phase, approvals: readonly number[] = []): void =>
    add({ type: 'decision', decision: { is: 'phase-begun', phase, because: 'policy' } }, { approvals });
  const ended = (phase: Phase): void =>
    add({ type: 'decision', decision: { is: 'phase-ended', phase, ok: true, because: 'all steps done' } });

  const title = `AWS key in acme/web${hostile}`;
  add(
    { type: 'decision', decision: { is: 'incident-opened', title, severity: 'critical', cause: 'push' } },
    { run: false, after: 0 },
  );
  add(
    {
      type: 'decision',
      decision: {
        is: 'finding',
        source: 'github',
        dedupeKey: 'finding-1',
        title,
        severity: 'critical',
        exposure: 'public',
        locations: [
          { label: `acme/web: deploy.env${hostile}`, url: 'https://github.com/acme/web/blob/1a2b3c4/deploy.env#L3' },
          { label: 'a link of a stranger', url: `javascript:alert(1)//${hostile}` },
        ],
        detectedAt: new Date(T0).toISOString(),
        exposedAt: new Date(T0 - 60_000).toISOString(),
        verdict: 'act',
        because: 'it is ours and it works',
      },
    },
    { run: false, after: 0 },
  );
  add({
    type: 'decision',
    decision: {
      is: 'run-opened',
      runbook: 'leaked-aws-access-key',
      credential: { kind: 'aws.access-key', id: KEY, where: { account: '111122223333', user: 'deploy' } },
      params: {},
      severity: 'critical',
      exposure: 'public',
      validity: 'active',
      ...(requestedBy === undefined ? {} : { requestedBy }),
    },
  });
  const plan = (phases: Plan['phases']): Plan => ({
    v: 1,
    run: 'run-1',
    runbook: 'leaked-aws-access-key',
    title: 'An AWS access key is outside our control',
    credential: { kind: 'aws.access-key', id: KEY, where: {} },
    params: {},
    phases,
  });
  const assess = plan([
    { phase: 'assess', approval: ALONE, steps: [call('assess/can', 'Read what its user may do', 'observe')] },
  ]);
  const response = plan([
    {
      phase: 'contain',
      approval: ALONE,
      steps: [
        call('contain/disable', 'Disable the key', 'reversible'),
        {
          kind: 'confirm',
          id: 'contain/dead',
          title: 'The key no longer works',
          op: 'aws-iam.live',
          input: null,
          expect: 'dead',
          withinMs: 300_000,
          settleMs: 10_000,
        },
      ],
    },
    {
      phase: 'rotate',
      approval: ASKED,
      steps: [
        {
          kind: 'guided',
          id: 'rotate/ci',
          title: `Point the nightly job at the new key${hostile}`,
          instructions: 'Open the job.',
          asks: 'What did you change?',
        },
      ],
    },
    {
      phase: 'retire',
      approval: ASKED,
      steps: [
        { kind: 'wait', id: 'retire/soak', title: 'Keep the disabled key', forMs: 7 * 86_400_000 },
        call('retire/delete', 'Delete the key for good', 'irreversible'),
      ],
    },
  ]);
  add({ type: 'plan', stage: 'assess', plan: assess, sha256: 'a'.repeat(64) });
  began('assess');
  intent('assess/can');
  done('assess/can', { administrator: false, attached: ['S3ReadOnly'], agents: { [`curl${hostile}`]: 3 } });
  ended('assess');
  add({ type: 'plan', stage: 'response', plan: response, sha256: 'b'.repeat(64) });
  began('contain');
  intent('contain/disable', { status: 'Active' });
  add({
    type: 'result',
    step: 'contain/disable',
    attempt: 1,
    outcome: 'retry',
    by: 'call',
    error: { code: 'throttled', message: `AWS asked to slow down${hostile}` },
  });
  intent('contain/disable', { status: 'Active' }, 2);
  done('contain/disable', { status: 'Inactive' });
  done('contain/dead');
  ended('contain');
  const contained = at;
  if (until === 'undone') {
    add(
      { type: 'decision', decision: { is: 'undo-requested', steps: ['contain/disable'] } },
      { person: 'lea', why: `wrong key${hostile}` },
    );
    add({ type: 'undo', step: 'contain/disable', attempt: 1, stage: 'intent' });
    add({ type: 'undo', step: 'contain/disable', attempt: 1, stage: 'done' });
    add({ type: 'decision', decision: { is: 'undo-ended', ok: true } });
    add({ type: 'decision', decision: { is: 'closed', because: 'undone' } });
  } else if (until !== 'contained') {
    add(
      {
        type: 'approval',
        verdict: 'approve',
        planSha256: 'b'.repeat(64),
        phases: ['rotate', 'retire'],
        expiresAt: new Date(at + 86_400_000).toISOString(),
        nonce: 'n',
      },
      { person: 'lea', why: `go on${hostile}`, after: 110_000 },
    );
    const approved = entries.length - 1;
    began('rotate', [approved]);
    add(
      { type: 'decision', decision: { is: 'answered', step: 'rotate/ci', answer: `done${hostile}` } },
      { person: 'rita' },
    );
    ended('rotate');
    began('retire', [approved]);
    intent('retire/soak');
    if (until === 'retired') {
      at += 7 * 86_400_000;
      done('retire/soak');
      intent('retire/delete');
      done('retire/delete');
      ended('retire');
      add({ type: 'decision', decision: { is: 'closed', because: 'every step is done' } });
    }
  }
  const now = new Date((until === 'contained' ? contained : at) + 300_000);
  const run = runView(
    'run-1',
    entries.filter((entry) => entry.run),
    now,
    { frozen: false },
  );
  if (!run) throw new Error('the story opens no run');
  const closed = run.state.closed !== undefined;
  return {
    now,
    incident: {
      id: 'incident-1',
      ref: 'INC-7',
      title,
      severity: 'critical',
      state: closed ? 'closed' : 'open',
      openedAt: new Date(T0).toISOString(),
      closedAt: closed ? new Date(at).toISOString() : null,
      revision: 1,
      findings: entries.flatMap((entry) =>
        entry.type === 'decision' && entry.decision.is === 'finding' ? [{ ...entry.decision, at: entry.time.utc }] : [],
      ),
      runs: [run],
      entries,
    },
  };
}
