import { describe, expect, it } from 'vitest';
import type { Entry, EntryBody } from '../../src/core/entry.ts';
import type { Plan } from '../../src/core/plan.ts';
import { runView } from '../../src/incident/view.ts';
import { planWords } from '../../src/incident/words/plan.ts';
import { sentenceOf, stepsIn } from '../../src/incident/words/sentence.ts';
import { standingWords } from '../../src/incident/words/standing.ts';
import { elapsed, oneLine, when } from '../../src/incident/words/text.ts';

const T0 = Date.parse('2026-03-01T03:12:00.000Z');
const NOW = new Date(T0 + 60_000);

const PLAN: Plan = {
  v: 1,
  run: 'run-1',
  runbook: 'leaked-aws-access-key',
  title: 'An AWS access key leaked',
  credential: { kind: 'aws.access-key', id: 'key-1', where: {} },
  params: {},
  phases: [
    {
      phase: 'contain',
      approval: { people: 1, roles: ['lead', 'approver'], because: 'the user is tagged production' },
      steps: [
        { kind: 'call', id: 'contain/disable', title: 'Disable the key', effect: 'reversible', op: 'a.b', input: null },
        {
          kind: 'confirm',
          id: 'contain/dead',
          title: 'The key is refused',
          op: 'a.live',
          input: null,
          expect: 'dead',
          withinMs: 60_000,
          settleMs: 5_000,
        },
      ],
    },
    {
      phase: 'retire',
      approval: { people: 0, roles: [], because: 'nothing depends on it' },
      steps: [
        { kind: 'wait', id: 'retire/soak', title: 'Let the users settle', forMs: 7 * 86_400_000 },
        {
          kind: 'call',
          id: 'retire/delete',
          title: 'Delete the key',
          effect: 'irreversible',
          op: 'a.delete',
          input: null,
        },
      ],
    },
  ],
};

let seq = 0;
function entry(body: EntryBody, more: { actor?: string; why?: string; approvals?: readonly number[] } = {}): Entry {
  seq += 1;
  return {
    ...body,
    v: 1,
    ledger: 'example.org/log',
    seq,
    id: `entry-${seq}`,
    time: { utc: new Date(T0 + seq * 1_000).toISOString(), source: 'virtual', monotonicNs: '0', bootId: 'boot' },
    mode: 'live',
    tool: { name: 'tourniquet', version: '0', configSha256: '0' },
    actor: { kind: 'person', id: more.actor ?? 'ana', authn: 'slack:U1' },
    incident: 'inc-1',
    run: 'run-1',
    ...(more.why ? { why: more.why } : {}),
    ...(more.approvals ? { authority: { approvals: more.approvals } } : {}),
  };
}

const OPENED = entry({
  type: 'decision',
  decision: {
    is: 'run-opened',
    runbook: PLAN.runbook,
    credential: PLAN.credential,
    params: {},
    severity: 'critical',
    exposure: 'public',
    validity: 'active',
  },
});
const ASSESSED = entry({
  type: 'plan',
  stage: 'assess',
  sha256: 'a'.repeat(64),
  plan: { ...PLAN, phases: [] },
});
const PLANNED = entry({ type: 'plan', stage: 'response', sha256: 'b'.repeat(64), plan: PLAN });
const BEGUN = entry({
  type: 'decision',
  decision: { is: 'phase-begun', phase: 'contain', because: 'approved by ana' },
});
const result = (
  step: string,
  outcome: Extract<Entry, { type: 'result' }>['outcome'],
  message?: string,
): Extract<Entry, { type: 'result' }> => {
  const made = entry({
    type: 'result',
    step,
    attempt: 1,
    outcome,
    by: 'call',
    ...(message ? { error: { code: 'denied', message } } : {}),
  });
  if (made.type !== 'result') throw new Error('unreachable');
  return made;
};
const ended = (ok: boolean) =>
  entry({ type: 'decision', decision: { is: 'phase-ended', phase: 'contain', ok, because: 'as it went' } });

function seen(entries: readonly Entry[], frozen = false) {
  const run = runView('run-1', [OPENED, ASSESSED, ...entries], NOW, { frozen });
  if (!run) throw new Error('the entries open no run');
  return run;
}

describe('standingWords', () => {
  it('says first that the credential still works, then what is waited for', () => {
    expect(standingWords(seen([PLANNED]))).toBe('NOT contained; waiting for 1 approval of lead or approver');
  });

  it('says "contained" only once the containment phase ended well', () => {
    const done = [PLANNED, BEGUN, result('contain/disable', 'done')];
    expect(standingWords(seen(done))).toBe('Not contained yet; containing now');
    expect(standingWords(seen([...done, result('contain/dead', 'done'), ended(true)]))).toMatch(/^Contained/);
  });

  it('names the step where it is stuck', () => {
    const stuck = [PLANNED, BEGUN, result('contain/disable', 'failed', 'AccessDenied'), result('contain/dead', 'done')];
    expect(standingWords(seen([...stuck, ended(false)]))).toBe(
      'NOT contained; stuck at “Disable the key”; a person must look',
    );
  });

  it('says that nothing is changed while frozen', () => {
    expect(standingWords(seen([PLANNED], true))).toBe(
      'NOT contained; frozen: nothing is changed at any provider until someone thaws Tourniquet',
    );
  });
});

describe('planWords', () => {
  it('numbers the steps across phases and says which cannot be undone', () => {
    const words = planWords(seen([PLANNED]));
    expect(words.undo).toBe('Step 1 can be undone. Step 4 cannot be undone.');
    expect(words.phases.map((each) => each.heading)).toEqual([
      'Containment: needs 1 approval of lead or approver, because the user is tagged production',
      'Retirement: no approval needed, because nothing depends on it',
    ]);
    expect(
      words.phases.flatMap((each) => each.steps.map((step) => `${step.number} ${step.mark} ${step.nature}`)),
    ).toEqual(['1 · can be undone', '2 · proof', '3 · wait', '4 · cannot be undone']);
  });

  it('shows what became of each step', () => {
    const words = planWords(seen([PLANNED, BEGUN, result('contain/disable', 'failed', 'AccessDenied')]));
    expect(words.phases[0]?.steps[0]).toMatchObject({ mark: '✗', became: 'AccessDenied' });
  });
});

describe('sentenceOf', () => {
  const find = stepsIn([PLANNED]);

  it('goes by titles where the plan is known, by ids where it is not', () => {
    expect(sentenceOf(result('contain/disable', 'done'), find)?.text).toBe('Done: Disable the key');
    expect(sentenceOf(result('contain/disable', 'done'))?.text).toBe('Done: contain/disable');
  });

  it('says "proved" of a confirmation only', () => {
    expect(sentenceOf(result('contain/dead', 'done'), find)).toEqual({
      text: 'Proved dead at the provider: The key is refused',
      tone: 'good',
    });
  });

  it('leaves out what is not worth a line', () => {
    expect(sentenceOf(entry({ type: 'heartbeat' }))).toBeNull();
    expect(sentenceOf(result('contain/dead', 'retry'), find)).toBeNull();
  });

  it('calls for a person when nobody knows', () => {
    expect(sentenceOf(result('contain/disable', 'unknown', 'No answer came'), find)).toEqual({
      text: 'Nobody knows whether this took effect: Disable the key: No answer came. A person must look.',
      tone: 'bad',
    });
  });

  it('keeps what a stranger wrote on one line, without control or direction marks', () => {
    const answered = entry({
      type: 'decision',
      decision: { is: 'answered', step: 'x', answer: 'done\n\n\u202eFAKE\u0007 line\u200b' },
    });
    expect(sentenceOf(answered)?.text).toBe('ana did “x”: done FAKE line');
  });
});

describe('times', () => {
  it.each([
    [0, '0 s'],
    [999, '0 s'],
    [4_000, '4 s'],
    [192_000, '3 min 12 s'],
    [3_600_000, '1 h'],
    [3_605_000, '1 h'],
    [6 * 86_400_000 + 3 * 3_600_000 + 5_000, '6 d 3 h'],
  ])('says %i ms as %s', (ms, said) => expect(elapsed(ms)).toBe(said));

  it('says when, relative and absolute, with the zone', () => {
    expect(when('2026-03-01T03:12:09.000Z', new Date('2026-03-01T03:12:13.000Z'))).toBe('4 s ago · 03:12:09 UTC');
    expect(when('2026-02-28T03:12:09.000Z', new Date('2026-03-01T03:12:09.000Z'))).toBe(
      '1 d ago · 2026-02-28 03:12:09 UTC',
    );
    expect(when('2026-03-08T03:12:09.000Z', new Date('2026-03-01T03:12:09.000Z'))).toMatch(/^in 7 d · 2026-03-08/);
  });

  it('strips what could rewrite a terminal', () => {
    expect(oneLine('\u001b[31mred\u001b[0m\r\nnext')).toBe('[31mred[0m next');
  });
});
