import { afterEach, describe, expect, it } from 'vitest';
import { readIncident } from '../../src/incident/view.ts';
import { buttonValue } from '../../src/slack/buttons.ts';
import { card } from '../../src/slack/card.ts';
import { LIMITS, type Message } from '../../src/slack/text.ts';
import { BO, type Case, contained, openCase, readable, stuck } from './scene.ts';

const cases: Case[] = [];
afterEach(async () => {
  await Promise.all(cases.splice(0).map((each) => each.store.close()));
});

async function scene(): Promise<Case> {
  const opened = await openCase();
  cases.push(opened);
  return opened;
}

async function cardOf(opened: Case, id = 'inc-12'): Promise<Message> {
  const view = await readIncident(opened.store.db, id, opened.clock.now());
  if (!view) throw new Error(`there is no ${id}`);
  return card(view, (ref) => `https://tourniquet.example.com/incidents/${ref}`);
}

const buttons = ({ blocks }: Message) =>
  blocks
    .flatMap((block) => (block.type === 'actions' ? block.elements : []))
    .flatMap((each) => (each.type === 'button' ? [each] : []));

/** Every string anywhere in `node`. */
const strings = (node: unknown): string[] =>
  typeof node === 'string'
    ? [node]
    : typeof node === 'object' && node !== null
      ? Object.values(node).flatMap((each) => strings(each))
      : [];

describe('a card', () => {
  it('reads, to someone tired, as what is wrong, what waits and what would be done', async () => {
    const opened = await scene();
    await opened.open(12);
    const message = await cardOf(opened);
    expect(readable(message.blocks)).toMatchInlineSnapshot(`
      "INC-12 · CRITICAL · AWS access key in a public repository
      NOT contained; waiting for 1 approval of lead or approver
      Reported: AWS access key in a public repository by github at 2026-03-01 03:12:00 UTC
      Exposure: public: anyone can read it
      Where: acme/web: deploy.env line 3 https://github.com/acme/web/blob/1a2b3c4/deploy.env
      ────────
      aws.access-key key-of-deploy
      Approve to let containment and retirement go ahead. People are asked because the user is tagged production
      Containment: needs 1 approval of lead or approver, because the user is tagged production
      1. · Disable the access key of deploy (can be undone)
      2. · AWS refuses the key (proof)
      Retirement: needs 1 approval of lead or approver, because deleting is final
      3. · Give its users time to move (wait)
      4. · Delete the access key of deploy CANNOT BE UNDONE
      Step 1 can be undone. Step 4 cannot be undone.
      Plan eee9f8328bd8
      [ Approve ] [ Deny ]
      INC-12 · opened 2026-03-01 03:12:00 UTC"
    `);
    expect(message.text).toMatchInlineSnapshot(
      `"INC-12 critical: AWS access key in a public repository. NOT contained; waiting for 1 approval of lead or approver."`,
    );
  });

  it('carries on its verdict buttons the run and the hash of the plan it shows, and asks again before what is final', async () => {
    const opened = await scene();
    await opened.open(12);
    const view = await readIncident(opened.store.db, 'inc-12', opened.clock.now());
    const [approve, deny, ...others] = buttons(await cardOf(opened));
    expect(others).toEqual([]);
    for (const button of [approve, deny])
      expect(buttonValue(button?.value)).toEqual({ run: 'run-12', plan: view?.runs[0]?.planSha256 });
    expect(strings(approve?.confirm)).toContain('Step 4 of it cannot be undone.');
  });

  it('says "contained" and offers the undo once containment is proved', async () => {
    const opened = await scene();
    await opened.open(12);
    await opened.tell('inc-12', ...contained('run-12'));
    const message = await cardOf(opened);
    expect(readable(message.blocks)).toContain('Contained; waiting for 1 approval of lead or approver');
    expect(readable(message.blocks)).toContain('contained after 2 s');
    expect(buttons(message).map((each) => each.action_id)).toEqual(['tq.approve', 'tq.deny', 'tq.undo']);
  });

  it('offers a retry, with what the provider said, where it is stuck', async () => {
    const opened = await scene();
    await opened.open(12);
    await opened.tell('inc-12', ...stuck('run-12'));
    const message = await cardOf(opened);
    expect(readable(message.blocks)).toContain('NOT contained; stuck at “Disable the access key of deploy”');
    expect(readable(message.blocks)).toContain('AWS says AccessDenied');
    expect(buttons(message).map((each) => each.action_id)).toEqual(['tq.retry']);
  });

  it('shows what a person is asked to do by hand, and a button to say that it is done', async () => {
    const opened = await scene();
    const phases = [
      {
        phase: 'contain' as const,
        approval: { people: 0, roles: [], because: 'nothing is changed by us' },
        steps: [
          {
            kind: 'guided' as const,
            id: 'contain/revoke',
            title: 'Revoke the webhook',
            instructions: 'Open the app page and press Remove.',
            link: 'https://api.slack.com/apps',
            asks: 'Is it removed?',
          },
        ],
      },
    ];
    await opened.open(12, { plan: { phases } });
    await opened.tell('inc-12', {
      type: 'decision',
      actor: { kind: 'bot', id: 'tourniquet', authn: 'engine' },
      run: 'run-12',
      decision: { is: 'phase-begun', phase: 'contain', because: 'nothing is changed by us' },
    });
    const message = await cardOf(opened);
    expect(readable(message.blocks)).toContain(
      'Do this: Open the app page and press Remove. https://api.slack.com/apps',
    );
    expect(buttonValue(buttons(message)[0]?.value)).toEqual({ run: 'run-12', step: 'contain/revoke' });
  });

  it('lets nothing that a stranger wrote become a mention, a link, markup or an emoji', async () => {
    const opened = await scene();
    const nasty = '<!channel> <https://evil.example|click> *bold* _it_ `code` :fire: &lt;!here&gt; \u202egpj';
    await opened.open(12, { title: nasty });
    const message = await cardOf(opened);
    expect(message.text).not.toMatch(/[<>]/);
    expect(message.text).toContain('&lt;!channel&gt;');
    expect(strings(message.blocks).filter((text) => /[<>\u202e]/.test(text))).toEqual([]);
    const parsed = JSON.stringify(message.blocks).match(/"type":"(mrkdwn|emoji|user|usergroup|broadcast|channel)"/g);
    expect(parsed).toBeNull();
    const links = [...JSON.stringify(message.blocks).matchAll(/"type":"link","url":"([^"]+)"/g)].map(([, url]) => url);
    expect(links).toEqual(['https://github.com/acme/web/blob/1a2b3c4/deploy.env']);
  });

  it('shows no secret even when an alert put one into its title', async () => {
    const opened = await scene();
    const secret = ['ghp', 'a1B2c3D4e5'.repeat(4).slice(0, 36)].join('_');
    await opened.open(12, { title: `token ${secret} found` });
    const message = await cardOf(opened);
    expect(JSON.stringify(message)).not.toContain(secret);
    expect(message.text).toContain('[secret removed]');
  });

  it('keeps to the limits of Block Kit however long the plan, the title and the incident are, and says what it left out', async () => {
    const opened = await scene();
    const step = (n: number) => ({
      kind: 'call' as const,
      id: `contain/step.${n}`,
      title: `Take part ${n} of a very large estate out of service ${'😀'.repeat(40)}`,
      effect: 'reversible' as const,
      op: 'x.y',
      input: null,
    });
    const phases = [
      {
        phase: 'contain' as const,
        approval: { people: 1, roles: ['lead'], because: 'it is large' },
        steps: Array.from({ length: 200 }, (_, i) => step(i + 1)),
      },
    ];
    await opened.open(12, { title: 'x'.repeat(5_000), plan: { phases } });
    const message = await cardOf(opened);
    expect(message.blocks.length).toBeLessThanOrEqual(LIMITS.blocks);
    for (const block of message.blocks) {
      if (block.type === 'header') expect(block.text.text.length).toBeLessThanOrEqual(LIMITS.header);
      if (block.type === 'rich_text')
        expect(strings(block.elements).join('').length).toBeLessThanOrEqual(LIMITS.section + 200);
      expect(JSON.stringify(block)).not.toMatch(/\\ud[89ab][0-9a-f]{2}(?!\\ud)/i);
    }
    for (const button of buttons(message)) expect(button.value?.length).toBeLessThanOrEqual(LIMITS.value);
    expect(readable(message.blocks)).toMatch(/\d+ more lines of this plan are NOT shown here\. Read them at https:/);
  });

  it('takes the verdict buttons away when the plan is being carried out', async () => {
    const opened = await scene();
    await opened.open(12);
    const view = await readIncident(opened.store.db, 'inc-12', opened.clock.now());
    await opened.tell('inc-12', {
      type: 'approval',
      actor: { kind: 'person', id: BO.id, authn: 'slack:U0BO' },
      run: 'run-12',
      verdict: 'approve',
      planSha256: view?.runs[0]?.planSha256 ?? '',
      phases: ['contain', 'retire'],
      expiresAt: '2026-03-02T03:12:00.000Z',
      nonce: 'n',
    });
    expect(buttons(await cardOf(opened))).toEqual([]);
  });
});
