import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { defineConnector } from '#tourniquet';
import { type Config, type Machine, type Problem, problemText, readConfig, settingsTable } from '../src/config.ts';
import type { Env } from '../src/core/connector.ts';
import { loadBuiltIns } from '../src/extensions.ts';

const vendor = defineConnector({
  name: 'vendor',
  title: 'Vendor',
  settings: z.object({
    VENDOR_URL: z.url('must be a URL').default('https://vendor.example').describe('Its API'),
    VENDOR_TOKEN: z
      .string()
      .refine((text) => text.startsWith('v-'), { error: ({ input }) => `${String(input)} does not begin with v-` })
      .describe('The token of the bot')
      .meta({ secret: true }),
    TOURNIQUET_VENDOR_TEAMS: z.string().describe('The teams that are ours').optional(),
  }),
  configured: (env) => env.VENDOR_TOKEN !== undefined || env.TOURNIQUET_VENDOR_TEAMS !== undefined,
  connect: () => null,
  buckets: {},
  doctor: async () => [],
  operations: {},
}).connector;

const FILES: Readonly<Record<string, string>> = {
  'people.json': JSON.stringify([{ id: 'ana', name: 'Ana', roles: ['lead'], slack: 'U012AB' }]),
  'wrong.json': '[\n  { "id": "ana" }\n]',
  'inventory.json': JSON.stringify([{ match: { kind: 'k' }, owner: 'web' }]),
  'policy/a.cedar': '@reason("x") permit (principal, action == Action::"view", resource);',
  'bad/a.cedar': '@reason("x") permit (principal, action == Action::"veiw", resource);',
};
const machine: Machine = {
  hostname: 'box',
  read(path) {
    const text = FILES[path];
    if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
    return text;
  },
  list: (dir) => Object.keys(FILES).flatMap((path) => (path.startsWith(`${dir}/`) ? [path.slice(dir.length + 1)] : [])),
};

const read = (env: Env) => readConfig(env, machine, [vendor]);
const accepted = (env: Env): Config => {
  const result = read(env);
  if (!result.ok) throw new Error(result.problems.map(problemText).join('\n'));
  return result.config;
};
const problemsOf = (env: Env): readonly Problem[] => {
  const result = read(env);
  return result.ok ? [] : result.problems;
};
const named = (env: Env): string[] => problemsOf(env).map(({ variable }) => variable);

const live = { TOURNIQUET_PEOPLE: 'people.json' };
const long = 'x'.repeat(16);

describe('without any configuration', () => {
  it('it is a sandbox on this machine only, with a ledger and a folder of its own', () => {
    expect(accepted({ HOME: '/home/ana', PATH: '/bin' })).toMatchObject({
      mode: 'sandbox',
      host: '127.0.0.1',
      port: 8080,
      dataDir: '.tourniquet/sandbox',
      origin: 'tourniquet/sandbox',
      logLevel: 'info',
      brake: { most: 10, windowMs: 600_000 },
      people: [],
    });
  });

  it('it stays a sandbox when only where it runs is set', () => {
    const env = { PORT: '0', HOST: '0.0.0.0', LOG_LEVEL: 'debug', TOURNIQUET_DATA_DIR: '/data' };
    const expected = { mode: 'sandbox', port: 0, host: '0.0.0.0', logLevel: 'debug', dataDir: '/data/sandbox' };
    expect(accepted(env)).toMatchObject(expected);
  });

  it('blank variables count as unset', () => {
    expect(accepted({ PORT: '', SLACK_BOT_TOKEN: ' ', VENDOR_TOKEN: '', TOURNIQUET_PEOPLE: '' }).mode).toBe('sandbox');
  });
});

describe('as soon as anything real is configured', () => {
  it.each([
    ['people', {}],
    ['a connector', { VENDOR_TOKEN: 'v-1234' }],
    ['an alert stream', { GITHUB_WEBHOOK_SECRET: long }],
  ])('%s: it is live', (_title, env) => {
    expect(accepted({ ...live, ...env })).toMatchObject({
      mode: 'live',
      dataDir: './.tourniquet',
      origin: 'tourniquet/box',
    });
  });

  it('it needs people', () => {
    expect(named({ VENDOR_TOKEN: 'v-1234' })).toEqual(['TOURNIQUET_PEOPLE']);
  });

  it('files are read and every setting has its place', () => {
    const key = Buffer.alloc(32, 7);
    const config = accepted({
      ...live,
      TOURNIQUET_MASTER_KEY: key.toString('base64'),
      TOURNIQUET_ORIGIN: 'tourniquet.example.com/log',
      TOURNIQUET_INVENTORY: 'inventory.json',
      TOURNIQUET_POLICY: 'policy',
      TOURNIQUET_EXTENSIONS: 'extensions',
      TOURNIQUET_BRAKE: '0/1h',
      GITHUB_WEBHOOK_SECRET: `${long}1`,
      GITHUB_WEBHOOK_SECRETS: `${long}2, ${long}3`,
      TOURNIQUET_WEBHOOK_SECRET: `${long}4`,
      SNS_TOPIC_ARNS: 'arn:aws:sns:eu-west-1:111122223333:alerts',
    });
    expect(config.people).toMatchObject([{ id: 'ana', authn: ['slack:U012AB'] }]);
    expect(config.inventory.holdingOf({ kind: 'k', id: '1', where: {} })).toMatchObject({ owner: 'web' });
    expect(Object.keys(config.policy)).toEqual(['a.cedar']);
    expect(config).toMatchObject({
      masterKey: key,
      origin: 'tourniquet.example.com/log',
      extensionsDir: 'extensions',
      brake: { most: 0, windowMs: 3_600_000 },
      sources: {
        github: [`${long}1`, `${long}2`, `${long}3`],
        generic: [`${long}4`],
        snsTopicArns: ['arn:aws:sns:eu-west-1:111122223333:alerts'],
      },
    });
  });
});

describe('Slack', () => {
  const slack = { ...live, SLACK_BOT_TOKEN: 'xoxb-1', SLACK_CHANNEL: 'C012AB' };

  it('comes over HTTP or over a socket', () => {
    expect(accepted({ ...slack, SLACK_SIGNING_SECRET: 's' }).slack).toEqual({
      botToken: 'xoxb-1',
      channel: 'C012AB',
      apiUrl: 'https://slack.com/api/',
      transport: { kind: 'http', signingSecret: 's' },
    });
    const socket = accepted({ ...slack, SLACK_APP_TOKEN: 'xapp-1', SLACK_API_URL: 'http://127.0.0.1:1/api/' }).slack;
    expect(socket).toMatchObject({
      apiUrl: 'http://127.0.0.1:1/api/',
      transport: { kind: 'socket', appToken: 'xapp-1' },
    });
  });

  it.each([
    ['no transport', slack, ['SLACK_SIGNING_SECRET']],
    ['both transports', { ...slack, SLACK_SIGNING_SECRET: 's', SLACK_APP_TOKEN: 'xapp-1' }, ['SLACK_APP_TOKEN']],
    ['only a secret', { ...live, SLACK_SIGNING_SECRET: 's' }, ['SLACK_BOT_TOKEN', 'SLACK_CHANNEL']],
    ['a name for an id', { ...slack, SLACK_SIGNING_SECRET: 's', SLACK_CHANNEL: '#security' }, ['SLACK_CHANNEL']],
    ['a user token', { ...slack, SLACK_SIGNING_SECRET: 's', SLACK_BOT_TOKEN: 'xoxp-1' }, ['SLACK_BOT_TOKEN']],
    ['a bot token for an app token', { ...slack, SLACK_APP_TOKEN: 'xoxb-1' }, ['SLACK_APP_TOKEN']],
    [
      'only an address',
      { ...live, SLACK_API_URL: 'x' },
      ['SLACK_API_URL', 'SLACK_BOT_TOKEN', 'SLACK_CHANNEL', 'SLACK_SIGNING_SECRET'],
    ],
  ])('is refused with %s', (_title, env, expected) => {
    expect(named(env)).toEqual(expected);
  });
});

describe('a wrong setting is refused by its name', () => {
  it.each([
    ['PORT', '80a'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['LOG_LEVEL', 'loud'],
    ['TOURNIQUET_BRAKE', '10'],
    ['TOURNIQUET_BRAKE', '10/10 minutes'],
    ['TOURNIQUET_BRAKE', '-1/10m'],
    ['TOURNIQUET_MASTER_KEY', Buffer.alloc(31).toString('base64')],
    ['TOURNIQUET_MASTER_KEY', 'not base64!'],
    ['TOURNIQUET_ORIGIN', 'two words'],
    ['TOURNIQUET_ORIGIN', 'a+b'],
    ['TOURNIQUET_PEOPLE', 'nowhere.json'],
    ['TOURNIQUET_PEOPLE', 'inventory.json'],
    ['TOURNIQUET_INVENTORY', 'people.json'],
    ['TOURNIQUET_POLICY', 'nowhere'],
    ['TOURNIQUET_POLICY', 'bad'],
    ['GITHUB_WEBHOOK_SECRET', 'short'],
    ['GITHUB_WEBHOOK_SECRETS', `${long},short`],
    ['TOURNIQUET_WEBHOOK_SECRET', 'short'],
    ['SNS_TOPIC_ARNS', 'alerts'],
    ['VENDOR_TOKEN', 'wrong'],
    ['TOURNIQUET_VENDOR_TEAM', 'web'],
    ['TOURNIQUET_BRAK', '1/1h'],
  ])('%s=%s', (name, value) => {
    expect([...new Set(named({ ...live, [name]: value }))]).toEqual([name]);
  });

  it('with the place of a mistake in a file', () => {
    const texts = problemsOf({ TOURNIQUET_PEOPLE: 'wrong.json', TOURNIQUET_POLICY: 'bad' }).map(problemText);
    expect(texts).toContainEqual(expect.stringMatching(/^TOURNIQUET_PEOPLE: .*wrong\.json:2:3: \[0\]\.name: /));
    expect(texts).toContainEqual(expect.stringMatching(/^TOURNIQUET_POLICY: .*a\.cedar:1:43: .*veiw/));
  });

  it('all at once', () => {
    const env = {
      PORT: 'x',
      LOG_LEVEL: 'y',
      TOURNIQUET_BRAKE: 'z',
      SLACK_CHANNEL: 'C01',
      TOURNIQUET_VENDOR_TEAMS: 'web',
    };
    expect(new Set(named(env))).toEqual(
      new Set([
        'PORT',
        'LOG_LEVEL',
        'TOURNIQUET_BRAKE',
        'SLACK_BOT_TOKEN',
        'SLACK_SIGNING_SECRET',
        'TOURNIQUET_PEOPLE',
        'VENDOR_TOKEN',
      ]),
    );
  });

  it('and half a connector is refused, saying what is missing', () => {
    const [problem] = problemsOf({ ...live, TOURNIQUET_VENDOR_TEAMS: 'web' });
    expect(problem && problemText(problem)).toBe(
      'VENDOR_TOKEN: is missing; other settings of Vendor are there. It is: The token of the bot.',
    );
  });
});

describe('secrets', () => {
  it('never appear in a problem, whatever a schema says', () => {
    const secret = ['leaked', 'value'].join('-');
    const names = settingsTable([vendor]).flatMap(({ name, secret }) => (secret ? [name] : []));
    expect(names).toContain('VENDOR_TOKEN');
    const problems = problemsOf(Object.fromEntries(names.map((name) => [name, secret])));
    expect(problems.length).toBeGreaterThan(4);
    expect(problems.map(problemText).join('\n')).not.toContain(secret);
    expect(problemsOf({ ...live, VENDOR_TOKEN: secret }).map(problemText)).toEqual([
      'VENDOR_TOKEN: ••• does not begin with v-. It is: The token of the bot.',
    ]);
  });
});

describe('the fingerprint of a configuration', () => {
  it('changes with a setting or a file, and not with a secret', () => {
    const base = accepted({ ...live, VENDOR_TOKEN: 'v-1234' }).sha256;
    expect(accepted({ ...live, VENDOR_TOKEN: 'v-9999' }).sha256).toBe(base);
    expect(accepted({ ...live, VENDOR_TOKEN: 'v-1234', UNRELATED: 'x' }).sha256).toBe(base);
    expect(accepted({ ...live, VENDOR_TOKEN: 'v-1234', TOURNIQUET_BRAKE: '1/1m' }).sha256).not.toBe(base);
    expect(accepted({ ...live, VENDOR_TOKEN: 'v-1234', TOURNIQUET_POLICY: 'policy' }).sha256).not.toBe(base);
  });
});

describe('the table of settings', () => {
  it('has a row for every variable, those of connectors made from their schemas', () => {
    const table = settingsTable([vendor]);
    expect(table.filter(({ connector }) => connector === 'vendor')).toEqual([
      { name: 'VENDOR_URL', about: 'Its API', default: 'https://vendor.example', connector: 'vendor' },
      { name: 'VENDOR_TOKEN', about: 'The token of the bot', secret: true, connector: 'vendor' },
      { name: 'TOURNIQUET_VENDOR_TEAMS', about: 'The teams that are ours', connector: 'vendor' },
    ]);
    expect(table.filter(({ about }) => about === '')).toEqual([]);
    expect(new Set(table.map(({ name }) => name)).size).toBe(table.length);
  });

  it('describes every setting of the connectors that we come with, each with one owner', async () => {
    const table = settingsTable((await loadBuiltIns()).connectors);
    expect(table.filter(({ about }) => about === '')).toEqual([]);
    expect(new Set(table.map(({ name }) => name)).size).toBe(table.length);
    expect(table.find(({ name }) => name === 'GITHUB_TOKEN')).toMatchObject({ connector: 'github', secret: true });
  });
});
