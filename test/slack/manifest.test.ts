import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { SLACK_PATH } from '../../src/slack/app.ts';
import { COMMANDS, SLASH } from '../../src/slack/commands/all.ts';

const manifest = z
  .object({
    display_information: z.object({ name: z.string().max(35), description: z.string().max(140) }),
    features: z.object({
      bot_user: z.object({ display_name: z.string().max(80) }),
      slash_commands: z.array(
        z.object({
          command: z.string(),
          url: z.url(),
          description: z.string().max(2_000),
          usage_hint: z.string().max(1_000),
          should_escape: z.boolean(),
        }),
      ),
    }),
    oauth_config: z.object({ scopes: z.object({ bot: z.array(z.string()) }) }),
    settings: z.object({ interactivity: z.object({ is_enabled: z.literal(true), request_url: z.url() }) }),
  })
  .parse(JSON.parse(readFileSync(new URL('../../slack-manifest.json', import.meta.url), 'utf8')));

const source = readdirSync(new URL('../../src/slack/', import.meta.url), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts'))
  .map((name) => readFileSync(new URL(`../../src/slack/${name}`, import.meta.url), 'utf8'))
  .join('\n');

/** What each Web API method that we may call needs; https://docs.slack.dev/reference/methods */
const NEEDS: Readonly<Record<string, readonly string[]>> = {
  'auth.test': [],
  'views.open': [],
  'chat.postMessage': ['chat:write'],
  'chat.update': ['chat:write'],
  // To find our own card again after a crash between posting it and noting where it stands.
  'conversations.history': ['channels:history'],
};

describe('slack-manifest.json', () => {
  it('asks for the scopes of the methods that are called and of the slash command, and for no other', () => {
    const called = [
      ...new Set([...source.matchAll(/client\.([a-z]+\.[a-zA-Z]+)\(/g)].map(([, method]) => method ?? '')),
    ];
    expect(called.toSorted()).toEqual(Object.keys(NEEDS).toSorted());
    const needed = new Set(['commands', ...called.flatMap((method) => NEEDS[method] ?? ['unknown'])]);
    expect(manifest.oauth_config.scopes.bot.toSorted()).toEqual([...needed].toSorted());
  });

  it('has the one slash command, unescaped, and sends everything to the one path we listen on', () => {
    expect(manifest.features.slash_commands.map((each) => each.command)).toEqual([SLASH]);
    const [slash] = manifest.features.slash_commands;
    expect(slash?.should_escape).toBe(false);
    for (const url of [slash?.url ?? '', manifest.settings.interactivity.request_url])
      expect(new URL(url).pathname).toBe(SLACK_PATH);
  });

  it('hints at commands that exist', () => {
    const hinted = manifest.features.slash_commands[0]?.usage_hint.split('|').map((each) => each.trim().split(' ')[0]);
    const names = COMMANDS.map((each) => each.name);
    expect(names).toEqual(expect.arrayContaining(hinted ?? ['nothing is hinted']));
  });

  it('has one file for every command but help, and help lists every one', () => {
    const files = readdirSync(new URL('../../src/slack/commands/', import.meta.url)).map((name) =>
      name.replace('.ts', ''),
    );
    const names = COMMANDS.map((each) => each.name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names.filter((each) => each !== 'help')) expect(files).toContain(name);
  });
});
