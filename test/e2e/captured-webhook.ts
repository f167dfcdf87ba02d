import { randomBytes, randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type Bot, install } from './bot.ts';
import { buttonOf, type Chat, openChat } from './chat.ts';
import { checkCustody } from './custody.ts';
import { deliver, type Github, openGithub } from './github.ts';
import { freePort, until } from './processes.ts';
import type { Report } from './report.ts';
import { checkSecrecy } from './secrecy.ts';

const APPROVER = 'U0APPROVER';
const STRANGER = 'U0STRANGER';
const WITHIN_MS = 120_000;

const payload = z.looseObject({
  action: z.string(),
  alert: z.looseObject({ number: z.int() }),
  repository: z.looseObject({ name: z.string(), private: z.boolean(), owner: z.looseObject({ login: z.string() }) }),
});

const finding = z.looseObject({
  openedAt: z.string(),
  findings: z.array(z.looseObject({ detectedAt: z.string() })),
});

/** The bot as a server: a webhook that GitHub once sent, a card, an approval by a click, a dead token, a resolved alert. */
export async function capturedWebhook(report: Report, dir: string): Promise<void> {
  report.chapter('GitHub reports a token; the bot asks in Slack; a person clicks Approve');
  const body = await readFile(new URL('fixtures/secret-scanning-alert-reopened.json', import.meta.url));
  const { action, alert, repository } = payload.parse(JSON.parse(body.toString()));
  const at = { owner: repository.owner.login, repo: repository.name, number: alert.number };
  report.doing(
    `The captured payload: alert ${at.number} of ${at.owner}/${at.repo} was ${action}; the repository is ${repository.private ? 'private' : 'public'}`,
  );
  const github = await openGithub(at);
  const chat = await openChat();
  const secret = randomBytes(32).toString('hex');
  const port = await freePort();
  const people = join(dir, 'people.json');
  await writeFile(people, JSON.stringify([{ id: 'ana', name: 'Ana', roles: ['lead', 'approver'], slack: APPROVER }]));
  const bot = await install(dir, {
    ...definedIn(github.settings),
    ...chat.settings,
    GITHUB_WEBHOOK_SECRET: secret,
    TOURNIQUET_PEOPLE: people,
    PORT: String(port),
  });
  const url = `http://127.0.0.1:${port}`;
  const server = bot.begin('start');
  try {
    const ready = until('the bot is ready', 30_000, async () => {
      const answer = await fetch(`${url}/readyz`).catch(() => undefined);
      return answer?.ok ? true : undefined;
    });
    const over = server.ended.then(({ said }) => Promise.reject(new Error(`start ended at once:\n${said}`)));
    await Promise.race([ready, over]);
    report.check('start is live, with GitHub and Slack', /is live on/.test(server.said()), server.said());
    await refusals(report, dir, url, { body, secret });
    await story(report, { dir, url, github, chat, body, secret });
    checkSecrecy(report, await bot.kept(), {
      secrets: { 'GitHub token': github.token },
      known: 'Codertocat/Hello-World',
    });
    const { code, said } = await server.stop();
    report.check('Told to stop, the bot ends well (status 0)', code === 0, `status ${code}\n${said}`);
    await afterwards(report, { dir, bot, github, chat, secret });
  } finally {
    await server.stop();
    await writeFile(join(dir, 'said.txt'), bot.said());
    await chat.stop();
    await github.stop();
  }
}

async function refusals(
  report: Report,
  dir: string,
  url: string,
  { body, secret }: { body: Buffer; secret: string },
): Promise<void> {
  const cases = [
    ['A delivery signed with another secret', 401, { body, secret: 'somebody who guesses' }],
    ['Garbage, rightly signed,', 422, { body: Buffer.from('{"action": '), secret }],
    ['A delivery of two megabytes', 413, { body: Buffer.alloc(2 * 1024 * 1024, 'x'), secret }],
  ] as const;
  for (const [what, status, sent] of cases) {
    const answer = await deliver(dir, url, { ...sent, delivery: randomUUID() });
    report.check(`${what} is answered ${status}`, answer.status === status, `${answer.status} ${answer.body}`);
  }
}

interface Scene {
  readonly dir: string;
  readonly url: string;
  readonly github: Github;
  readonly chat: Chat;
  readonly body: Buffer;
  readonly secret: string;
}

async function story(report: Report, { dir, url, github, chat, body, secret }: Scene): Promise<void> {
  const delivery = randomUUID();
  report.check('The token works (GET /user 200)', (await github.tokenStatus()) === 200);
  const sent = await deliver(dir, url, { body, secret, delivery });
  report.check('The captured webhook, by curl, is accepted (202)', sent.status === 202, `${sent.status} ${sent.body}`);

  const card = await until('a card that asks for approval', WITHIN_MS, async () => {
    const [newest] = await chat.cards();
    return buttonOf(newest, 'tq.approve') && newest;
  });
  const approve = buttonOf(card, 'tq.approve') ?? { action_id: '', value: '' };
  report.check('One card stands in the channel and asks', (await chat.cards()).length === 1);
  const again = await deliver(dir, url, { body, secret, delivery });
  report.check(
    'The same delivery again is recognised (202, duplicate)',
    again.status === 202 && again.body.includes('duplicate'),
    `${again.status} ${again.body}`,
  );

  const forged = await chat.click(url, APPROVER, approve, 'not the signing secret');
  report.check('A click that Slack did not sign is refused (401)', forged === 401, String(forged));
  const strangers = await chat.click(url, STRANGER, approve);
  await until('an answer to the stranger', WITHIN_MS, async () => chat.answers[0]);
  const nothing = github.revocations() === 0 && (await github.tokenStatus()) === 200;
  report.check('A click by somebody unknown changes nothing', strangers === 200 && nothing, chat.answers[0]);

  const at = performance.now();
  const clicked = await chat.click(url, APPROVER, approve);
  const told = await until('an answer to the approver', WITHIN_MS, async () => chat.answers[1]);
  report.check('The approver’s click is taken', clicked === 200 && told.includes('Approved'), told);
  await until('the token is dead', WITHIN_MS, async () => (await github.tokenStatus()) === 401 || undefined);
  report.check('The token is dead (GET /user 401)', (await github.tokenStatus()) === 401);
  report.doing(
    `from the click to a dead token: ${((performance.now() - at) / 1_000).toFixed(1)} s; now it is proved, twice`,
  );
  await until('the alert is resolved', WITHIN_MS, async () => github.alert().state === 'resolved' || undefined);
  report.check(
    'The alert is resolved as revoked',
    github.alert().resolution === 'revoked',
    `${github.alert().resolution}`,
  );
  const settled = await until('a card without buttons', WITHIN_MS, async () => {
    const [newest] = await chat.cards();
    return buttonOf(newest, 'tq.approve') ? undefined : newest;
  });
  report.check('The same card now says so', settled.ts === card.ts && (await chat.cards()).length === 1, settled.text);

  const later = await deliver(dir, url, { body, secret, delivery: randomUUID() });
  report.check('The webhook under a new delivery id is accepted (202)', later.status === 202, later.body);
}

async function afterwards(
  report: Report,
  { dir, bot, github, chat, secret }: Pick<Scene, 'dir' | 'github' | 'chat' | 'secret'> & { bot: Bot },
): Promise<void> {
  const worked = await bot.run('work'); // whatever the last delivery left to do
  report.check('…and nothing is left to do about it', worked.code === 0, worked.said);
  report.check(
    'GitHub was told to revoke once, and never again',
    github.revocations() === 1,
    `${github.revocations()}`,
  );
  const { said: list } = await bot.run('incidents', '--all');
  report.check('All those deliveries are one incident', list.trim().split('\n').length === 1, list);
  const shown = finding.parse(await bot.show('INC-1'));
  const { detectedAt } = shown.findings[0] ?? { detectedAt: 'no finding' };
  const late = Math.abs(Date.parse(shown.openedAt) - Date.parse(detectedAt));
  report.check('The captured alert bears no time, so it counts from its arrival', late < 10_000, detectedAt);
  const bundle = await checkCustody(report, bot, dir, 'INC-1');
  const cards = Buffer.from(JSON.stringify([await chat.cards(), chat.answers]));
  checkSecrecy(
    report,
    [
      ...(await bot.kept()),
      { name: 'the bundle', bytes: bundle },
      { name: 'Slack', bytes: cards },
      { name: 'all output', bytes: Buffer.from(bot.said()) },
    ],
    {
      secrets: {
        'GitHub token': github.token,
        'webhook secret': secret,
        'Slack signing secret': chat.signingSecret,
        'Slack bot token': chat.settings.SLACK_BOT_TOKEN ?? '',
      },
      known: 'Codertocat/Hello-World',
    },
  );
}

const definedIn = (settings: Readonly<Record<string, string | undefined>>): Record<string, string> =>
  Object.fromEntries(Object.entries(settings).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
