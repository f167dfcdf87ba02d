import { randomInt } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { makeToken, seededRandom } from '../../connectors/github/simulator/random.ts';
import { type Bot, install } from './bot.ts';
import { checkCustody } from './custody.ts';
import { commitSecrets, scan } from './leaky-repository.ts';
import type { Ran } from './processes.ts';
import type { Report } from './report.ts';
import { checkSecrecy } from './secrecy.ts';
import { type Aws, openAws } from './somebody-elses-aws.ts';

const USER = 'deploy-bot';
const SECRET = 'prod/deploy-bot';

const shown = z.looseObject({
  state: z.string(),
  runs: z.array(z.looseObject({ standing: z.string(), planSha256: z.string().nullable() })),
});

/** A scanner's report, from the commit that leaked to the replaced key, by the command line alone, against somebody else's AWS. */
export async function scannerReport(
  report: Report,
  dir: string,
  { gitleaks, motoServer }: { gitleaks: string; motoServer: string },
): Promise<void> {
  report.chapter('A key and a token are committed; gitleaks finds them; Tourniquet works from its report alone');
  const aws = await openAws(motoServer);
  try {
    await story(report, dir, gitleaks, aws);
  } finally {
    await aws.stop();
  }
}

async function story(report: Report, dir: string, gitleaks: string, aws: Aws): Promise<void> {
  const old = await aws.addUser(USER, SECRET);
  const githubToken = makeToken(seededRandom(randomInt(2 ** 32)), 'ghp', '');
  report.doing(`moto runs at ${aws.settings.AWS_ENDPOINT_URL}; its user ${USER} has key ${old.accessKeyId}`);

  const repository = join(dir, 'repository');
  await mkdir(repository, { recursive: true });
  const file = join(dir, 'report.json');
  const scanned = await scan(gitleaks, await commitSecrets(repository, { key: old, githubToken }), file);
  const rules = scanned.leaks.map(({ RuleID }) => RuleID).join(', ');
  report.check('gitleaks reports leaks (status 1)', scanned.code === 1, `status ${scanned.code}`);
  report.check(
    `gitleaks found the key and the token (${rules})`,
    [old.accessKeyId, githubToken].every((secret) => scanned.leaks.some((leak) => leak.Secret === secret)),
    rules,
  );

  const bot = await install(dir, { ...aws.settings, ...(await filesFor(dir)) });
  const ended = (promise: string, { code, said }: Ran, expected: number, ...texts: readonly string[]): void =>
    report.check(promise, code === expected && texts.every((text) => said.includes(text)), `status ${code}\n${said}`);

  const planned = await bot.run('plan', old.accessKeyId);
  ended('plan prints the plan', planned, 0, 'Disable the key', 'Delete the key for good', 'Nothing was changed.');
  const untouched = (await aws.keys(USER))[old.accessKeyId] === 'Active' && (await aws.policies(USER)).length === 0;
  report.check('…and changed nothing at AWS: the key is Active, its user has no policy', untouched);
  ended('…and opened no incident', await bot.run('incidents', '--all'), 0, 'There has been no incident yet.');

  const at = Date.now();
  const ingested = await bot.run('ingest', file);
  ended('ingest takes the report and contains the key', ingested, 0, 'a report of gitleaks', 'Proved dead');
  report.doing(`from report to contained, proved and waiting for people: ${((Date.now() - at) / 1_000).toFixed(1)} s`);
  report.check(
    'The key is Inactive at AWS',
    (await aws.keys(USER))[old.accessKeyId] === 'Inactive',
    JSON.stringify(await aws.keys(USER)),
  );
  report.check('Its user is denied everything', (await aws.policies(USER)).length === 1);
  ended('The GitHub token is told only, because GitHub is not configured', ingested, 0, 'Told only, not acted on');
  ended('Handing the same report in again does nothing', await bot.run('ingest', file), 0, 'handed in before');

  const { said: list } = await bot.run('incidents', '--all');
  report.check('All that the commit leaked is one incident', list.trim().split('\n').length === 1, list);
  ended('An approval of another plan is refused', await bot.run('approve', 'INC-1', '--plan', 'f00'), 1, 'not f00');
  const plan = (await look(bot)).runs[0]?.planSha256 ?? '';
  const approved = await bot.run('approve', 'INC-1', 'the', 'pipeline', 'can', 'switch', '--plan', plan.slice(0, 12));
  ended('approve takes the plan that was shown', approved, 0, 'Approved. INC-1 goes on');
  const stopped = await bot.run('work');
  // moto has no CloudTrail to look in, so Tourniquet cannot know what the key opened, says so, and asks.
  ended('work asks a person about what it could not read', stopped, 0, 'What waits for people');
  const answered = await bot.run('answer', 'INC-1', 'Looked: no roles, no sessions.');
  ended('answer takes what the person did', answered, 0);
  ended('work drives the rest to its end', await bot.run('work'), 0, 'Done: Delete the key for good', 'Closed');

  const now = await aws.keys(USER);
  const replaced = await aws.secret(SECRET);
  report.check('The old key is gone at AWS', now[old.accessKeyId] === undefined, JSON.stringify(now));
  report.check(`${SECRET} holds another key`, replaced.accessKeyId !== old.accessKeyId);
  report.check(
    '…which is the only key of the user, and Active',
    isOnly(now, replaced.accessKeyId),
    JSON.stringify(now),
  );
  report.check('…beside what else the secret held', replaced.database === 'orders', Object.keys(replaced).join(', '));
  const state = await look(bot);
  report.check(
    'The incident is closed, its run retired',
    state.state === 'closed' && state.runs.every(({ standing }) => standing === 'retired'),
    JSON.stringify(state.runs),
  );

  const bundle = await checkCustody(report, bot, dir, 'INC-1');
  checkSecrecy(
    report,
    [
      ...(await bot.kept()),
      { name: 'the bundle', bytes: bundle },
      { name: 'all output', bytes: Buffer.from(bot.said()) },
    ],
    {
      secrets: {
        'old secret access key': old.secretAccessKey,
        'new secret access key': replaced.secretAccessKey,
        'GitHub token': githubToken,
      },
      known: old.accessKeyId,
    },
  );
}

/** What a team writes before its first alert: who may decide, and what is known of the key. */
async function filesFor(dir: string): Promise<Record<string, string>> {
  const people = [
    { id: 'operator', name: 'On call', roles: ['responder', 'lead', 'approver'], cli: userInfo().username },
  ];
  const inventory = [
    {
      match: { kind: 'aws.access-key', where: { user: USER } },
      owner: 'platform',
      consumers: ['the deploy pipeline'],
      params: { sink: { kind: 'aws.secrets-manager', secretId: SECRET }, soak: '1s' },
    },
  ];
  const files = { TOURNIQUET_PEOPLE: join(dir, 'people.json'), TOURNIQUET_INVENTORY: join(dir, 'inventory.json') };
  await writeFile(files.TOURNIQUET_PEOPLE, JSON.stringify(people));
  await writeFile(files.TOURNIQUET_INVENTORY, JSON.stringify(inventory));
  return files;
}

const look = async (bot: Bot) => shown.parse(await bot.show('INC-1'));

const isOnly = (keys: Readonly<Record<string, string>>, id: string): boolean =>
  Object.keys(keys).length === 1 && keys[id] === 'Active';
