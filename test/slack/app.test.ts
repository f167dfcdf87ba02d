import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readIncident } from '../../src/incident/view.ts';
import { createSlack } from '../../src/slack/app.ts';
import type { SlackServices } from '../../src/slack/interaction.ts';
import {
  type Case,
  CHANNEL,
  contained,
  type FakeSlack,
  freePort,
  openAnswers,
  openCase,
  openSlack,
  readable,
  type Served,
  serve,
  stuck,
  TEAM,
  until,
} from './scene.ts';

let folder: string;
let opened: Case;
let fake: FakeSlack;
let answers: Awaited<ReturnType<typeof openAnswers>>;
let served: Served;
let asked: unknown[];

const services: SlackServices = {
  async revoke(request) {
    asked.push(request);
    return { ok: true, said: `Working on ${request.text}.` };
  },
  async plan(request) {
    asked.push(request);
    return { ok: true, lines: [`Disable ${request.text}`, 'Delete it'] };
  },
  async drill(request) {
    asked.push(request);
    return { ok: true, said: `Drill ${request.scenario} began.` };
  },
};

beforeEach(async () => {
  asked = [];
  folder = await mkdtemp(join(tmpdir(), 'tourniquet-slack-'));
  opened = await openCase(join(folder, 'ledger.db'));
  fake = await openSlack(['commands', 'chat:write', 'channels:history']);
  answers = await openAnswers();
  served = await serve(opened, { apiUrl: fake.url, services, answers });
});

afterEach(async () => {
  await served.close();
  await answers.close();
  await fake.close();
  await opened.store.close();
  await rm(folder, { recursive: true });
});

const planSha256 = async (n = 12): Promise<string> => {
  const view = await readIncident(opened.store.db, String(n), opened.clock.now());
  return view?.runs[0]?.planSha256 ?? '';
};
const approvals = async () => (await opened.ledger.ofIncident('inc-12')).filter((entry) => entry.type === 'approval');
const decisions = async (is: string) =>
  (await opened.ledger.ofIncident('inc-12')).filter((entry) => entry.type === 'decision' && entry.decision.is === is);

describe('requests', () => {
  it('are refused when the signature is forged', async () => {
    await opened.open(12);
    const form = { command: '/tq', text: 'freeze now', team_id: TEAM, user_id: 'U0ANA', trigger_id: 't' };
    expect(await served.send(form, { secret: 'guessed' })).toBe(401);
    expect(await served.send(form, { at: new Date(Date.now() - 6 * 60_000) })).toBe(401);
    expect((await opened.ledger.head()).size).toBe(4);
  });

  it('of another workspace do nothing', async () => {
    await opened.open(12);
    await served.command('freeze an attack', { team: 'T0STRANGER' });
    expect((await answers.next('command')).text).toContain('another Slack workspace');
    expect((await opened.ledger.head()).size).toBe(4);
  });

  it('are acknowledged before anything is asked of anyone', async () => {
    let release: () => void = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const slow = await serve(opened, {
      apiUrl: fake.url,
      answers,
      services: { ...services, drill: async () => held.then(() => ({ ok: true, said: 'At last.' }) as const) },
    });
    expect(await slow.command('drill slow', { answerTo: 'slow' })).toBe(200);
    expect(answers.all()).toEqual([]);
    release();
    expect((await answers.next('slow')).text).toBe('At last.');
    await slow.close();
  });

  it('are understood although Slack itself cannot be reached, once it has said who we are', async () => {
    await served.command('help', { answerTo: 'first' });
    await answers.next('first');
    const deaf = await serve(opened, { apiUrl: `http://127.0.0.1:${await freePort()}`, services, answers });
    await deaf.command('freeze the provider is down', { answerTo: 'deaf' });
    expect((await answers.next('deaf')).text).toMatch(/^Frozen\./);
    await deaf.close();
  });
});

describe('a click on Approve', () => {
  it('records the approval of the plan on the card, by the person who clicked', async () => {
    await opened.open(12);
    const plan = await planSha256();
    expect(await served.click('tq.approve', { run: 'run-12', plan })).toBe(200);
    expect((await answers.next('click')).text).toBe('Approved. INC-12 goes on: contain, then retire.');
    expect(await approvals()).toMatchObject([
      { verdict: 'approve', planSha256: plan, actor: { kind: 'person', id: 'ana', authn: 'slack:U0ANA' } },
    ]);
  });

  it('counts once, however often Slack delivers it', async () => {
    await opened.open(12, { plan: {} });
    const plan = await planSha256();
    for (const answerTo of ['first', 'again', 'and-again'])
      expect(await served.click('tq.approve', { run: 'run-12', plan }, { ts: '1700000000.5', answerTo })).toBe(200);
    await answers.next('first');
    await served.slack.stop();
    expect(await approvals()).toHaveLength(1);
    expect(answers.all()).toHaveLength(1);
  });

  it('is refused when the plan on the card is no longer the plan', async () => {
    await opened.open(12);
    await served.click('tq.approve', { run: 'run-12', plan: 'f'.repeat(64) });
    expect((await answers.next('click')).text).toContain('The plan of INC-12 has changed since you saw it');
    expect(await approvals()).toEqual([]);
  });

  it('by someone we do not know does nothing and says whom to ask', async () => {
    await opened.open(12);
    await served.click('tq.approve', { run: 'run-12', plan: await planSha256() }, { user: 'U0NOBODY' });
    expect((await answers.next('click')).text).toContain('does not know who slack:U0NOBODY is');
    expect(await approvals()).toEqual([]);
  });

  it('on a button that another version made does nothing', async () => {
    await served.click('tq.approve', { run: 'run-12', plan: 'x', extra: true });
    expect((await answers.next('click')).text).toContain('another version');
  });
});

describe('the other buttons', () => {
  it('deny the plan', async () => {
    await opened.open(12);
    await served.click('tq.deny', { run: 'run-12', plan: await planSha256() }, { user: 'U0BO' });
    expect((await answers.next('click')).text).toBe('Denied. INC-12 stays as it is.');
    expect(await approvals()).toMatchObject([{ verdict: 'deny', actor: { id: 'bo' } }]);
  });

  it('try again what is stuck', async () => {
    await opened.open(12);
    await opened.tell('inc-12', ...stuck('run-12'));
    await served.click('tq.retry', { run: 'run-12' });
    expect((await answers.next('click')).text).toBe('Trying INC-12 again.');
    expect(await decisions('retry-requested')).toHaveLength(1);
  });

  it('ask for a reason before an undo, and record it', async () => {
    await opened.open(12);
    await opened.tell('inc-12', ...contained('run-12'));
    await served.click('tq.undo', { run: 'run-12' }, { trigger: await fake.trigger('U000000001') });
    await served.slack.stop();
    expect(answers.all()).toEqual([]); // the form itself is the answer
    expect(served.logs).toEqual([]);

    const payload = {
      type: 'view_submission',
      team: { id: TEAM, domain: 'acme' },
      user: { id: 'U0ANA', team_id: TEAM, name: 'ana' },
      trigger_id: 'form-trigger',
      view: {
        id: 'V1',
        callback_id: 'tq.undo',
        private_metadata: JSON.stringify({
          value: JSON.stringify({ run: 'run-12' }),
          responseUrl: answers.urlOf('form'),
        }),
        state: { values: { text: { text: { type: 'plain_text_input', value: 'it was a test key' } } } },
      },
    };
    for (let i = 0; i < 2; i += 1) expect(await served.send({ payload: JSON.stringify(payload) })).toBe(200);
    expect((await answers.next('form')).text).toMatch(/^Undoing INC-12: Disable the access key of deploy\./);
    await served.slack.stop();
    expect(await decisions('undo-requested')).toMatchObject([{ why: 'it was a test key', actor: { id: 'ana' } }]);
  });

  it('open no form for someone we do not know', async () => {
    await opened.open(12);
    await opened.tell('inc-12', ...contained('run-12'));
    await served.click('tq.undo', { run: 'run-12' }, { user: 'U0NOBODY' });
    expect((await answers.next('click')).text).toContain('does not know who');
  });

  it('say that it failed when Slack does not open the form', async () => {
    await opened.open(12);
    await opened.tell('inc-12', ...contained('run-12'));
    await served.click('tq.undo', { run: 'run-12' }, { trigger: 'made-up' });
    expect((await answers.next('click')).text).toContain('could not finish this');
  });
});

describe('/tq', () => {
  const ask = async (text: string, more: Parameters<Served['command']>[1] = {}): Promise<string> => {
    const answerTo = `answer-${answers.all().length}`;
    expect(await served.command(text, { ...more, answerTo })).toBe(200);
    const { blocks } = await answers.next(answerTo);
    return readable(blocks);
  };

  it('lists its commands, and takes no word for one that is not', async () => {
    expect(await ask('help')).toMatch(/\/tq revoke KEY \[why\]: contain/);
    expect(await ask('')).toMatch(/\/tq help: this list/);
    expect(await ask('frobnicate')).toContain('not a command of Tourniquet');
  });

  it('lists and shows incidents', async () => {
    expect(await ask('incidents')).toBe('No incident is open.');
    await opened.open(12);
    expect(await ask('incidents')).toMatch(
      /^INC-12 · critical · waiting-approval · AWS access key .* ago · 03:12:00 UTC$/,
    );
    expect(await ask('show inc-12')).toContain('NOT contained; waiting for 1 approval');
    expect(await ask('show INC-99')).toContain('There is no incident INC-99');
    expect(await ask('show')).toContain('/tq show INC-12');
    expect(await ask('show INC-12', { user: 'U0NOBODY' })).toContain('does not know who');
  });

  it('shows the plan before it takes a verdict, and takes one that names the plan', async () => {
    await opened.open(12);
    expect(await ask('approve INC-12')).toContain('[ Approve ] [ Deny ]');
    expect(await approvals()).toEqual([]);
    expect(await ask('approve INC-12 ffffffffffff')).toContain('it has changed, or it was decided');
    expect(await ask(`approve INC-12 ${(await planSha256()).slice(0, 12)}`)).toContain('Approved.');
    expect(await approvals()).toHaveLength(1);
    expect(await ask('deny INC-12')).toContain('waits for no approval');
  });

  it('freezes and thaws, with a reason', async () => {
    expect(await ask('freeze')).toContain('Say why');
    expect(await ask('freeze  AWS is down ')).toMatch(/^Frozen/);
    expect(await ask('thaw AWS is back')).toMatch(/^Thawed/);
  });

  it('undoes and retries', async () => {
    await opened.open(12);
    expect(await ask('retry INC-12')).toContain('not stuck');
    expect(await ask('undo INC-12')).toContain('Say why');
    expect(await ask('undo INC-12 for fun')).toContain('Nothing of INC-12 can be taken back');
    await opened.tell('inc-12', ...contained('run-12'));
    expect(await ask('undo INC-12 a test key')).toContain('Undoing INC-12');
  });

  it('passes on what it is asked to revoke, plan and drill', async () => {
    await ask('revoke some-key-id seen in a gist');
    await ask('plan some-key-id');
    await ask('drill leaked-key');
    const authn = 'slack:U0ANA';
    expect(asked).toEqual([
      { text: 'some-key-id', authn, why: 'seen in a gist' },
      { text: 'some-key-id', authn },
      { scenario: 'leaked-key', authn },
    ]);
    expect(await ask('revoke')).toContain('Say which credential');
  });

  it('does a redelivered command once', async () => {
    await served.command('drill once', { id: 'same', answerTo: 'one' });
    await served.command('drill once', { id: 'same', answerTo: 'two' });
    await answers.next('one');
    await served.slack.stop();
    expect(asked).toHaveLength(1);
  });

  it('lets a secret that someone typed appear nowhere: no answer, message, log or file', async () => {
    const secret = ['ghp', 'M4rk3rM4rk3rM4rk3rM4rk3rM4rk3rM4rk3r'].join('_');
    await opened.open(12);
    await opened.tell('inc-12', ...contained('run-12'));
    for (const text of [
      `revoke ${secret} leaked`,
      `revoke it is ${secret}`,
      `plan ${secret}`,
      secret,
      `show ${secret}`,
      `freeze because ${secret} leaked`,
      `undo INC-12 ${secret}`,
      `approve INC-12 ${secret}`,
    ])
      await ask(text);
    const failing = await serve(opened, {
      apiUrl: fake.url,
      answers,
      services: {
        ...services,
        revoke: async ({ text }) => {
          throw new Error(`cannot handle ${text}`);
        },
      },
    });
    await failing.command(`revoke ${secret}`, { answerTo: 'failing' });
    expect((await answers.next('failing')).text).toContain('could not finish this');
    await failing.close();
    await served.slack.outbox.tick();
    expect(asked).toContainEqual({ text: secret, authn: 'slack:U0ANA', why: 'leaked' });

    const history = await fake.history();
    const replies = await Promise.all(history.map((message) => fake.replies(message.ts)));
    const files = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'latin1')));
    const places = [answers.all(), history, replies, served.logs, failing.logs].map((place) => JSON.stringify(place));
    for (const place of [...places, ...files]) expect(place.includes(secret)).toBe(false);
    expect(failing.logs.join()).toContain('Something asked for in Slack failed');
  });
});

describe('settings', () => {
  it('that cannot work are refused with what to set', () => {
    const log = { warn: () => {}, error: () => {} };
    const make = (config: Parameters<typeof createSlack>[0]['config']) => () =>
      createSlack({ desk: opened.desk, services, log, config });
    expect(make({ botToken: 'x', signingSecret: 's', channel: '#incidents' })).toThrow(/by its id/);
    expect(make({ botToken: 'x', channel: CHANNEL })).toThrow(/signing secret.*or an app token/);
  });

  it('with an app token need no request address, and no Slack that can be reached', async () => {
    const warnings: string[] = [];
    const slack = createSlack({
      desk: opened.desk,
      services,
      log: {
        warn: (_details, message) => warnings.push(message),
        error: (_details, message) => warnings.push(message),
      },
      config: { botToken: 'x', appToken: 'y', channel: CHANNEL, apiUrl: `http://127.0.0.1:${await freePort()}` },
    });
    expect(slack.requestListener).toBeNull();
    slack.start();
    await until(async () => warnings.find((each) => each.includes('Slack')));
    await slack.stop();
  });
});
