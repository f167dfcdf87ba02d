import { createHmac, randomBytes } from 'node:crypto';
import { createEmulator } from 'emulate';
import { z } from 'zod';
import { listen, listenerOf } from '../../src/listen.ts';
import { freePort } from './processes.ts';

/** What the emulator gives without being asked. */
const TEAM = 'T000000001';
const CHANNEL = 'C000000001';
const BOT_USER = 'U000000001';

const button = z.looseObject({ action_id: z.string(), value: z.string() });
const message = z.looseObject({
  ts: z.string(),
  text: z.string(),
  blocks: z.array(z.looseObject({ elements: z.array(z.unknown()).default([]) })).default([]),
});
const history = z.object({ ok: z.literal(true), messages: z.array(message) });
export type Card = z.infer<typeof message>;
export type Button = z.infer<typeof button>;

/** A Slack that we did not write, and a person in it. */
export interface Chat {
  /** The settings that point a bot at it. */
  readonly settings: Readonly<Record<string, string>>;
  readonly signingSecret: string;
  /** What stands in the channel. */
  cards(): Promise<readonly Card[]>;
  /** Clicks a button as Slack sends it, signed with `secret`. Answers the status. */
  click(bot: string, by: string, what: Button, secret?: string): Promise<number>;
  /** What the bot told whoever clicked, and nobody else. */
  readonly answers: readonly string[];
  stop(): Promise<void>;
}

export async function openChat(): Promise<Chat> {
  const botToken = ['xoxb', randomBytes(16).toString('hex')].join('-');
  const reader = randomBytes(16).toString('hex');
  const signingSecret = randomBytes(16).toString('hex');
  const scopes = ['chat:write', 'commands', 'channels:history', 'channels:read'];
  const emulator = await createEmulator({
    service: 'slack',
    port: await freePort(),
    seed: {
      slack: {
        strict_scopes: true,
        users: [{ name: 'ana' }],
        tokens: [
          { token: botToken, user_id: BOT_USER, scopes },
          { token: reader, user: 'ana', scopes: ['channels:history'] },
        ],
      },
    },
  });
  const answers: string[] = [];
  const inbox = await listen(
    listenerOf(async (request) => {
      answers.push(await request.text());
      return new Response('ok');
    }),
    { host: '127.0.0.1', port: 0 },
  );
  let clicks = 0;
  return {
    settings: {
      SLACK_API_URL: emulator.url,
      SLACK_BOT_TOKEN: botToken,
      SLACK_SIGNING_SECRET: signingSecret,
      SLACK_CHANNEL: CHANNEL,
    },
    signingSecret,
    answers,
    async cards() {
      const response = await fetch(`${emulator.url}/api/conversations.history`, {
        method: 'POST',
        headers: { authorization: `Bearer ${reader}`, 'content-type': 'application/json' },
        body: JSON.stringify({ channel: CHANNEL }),
      });
      return history.parse(await response.json()).messages;
    },
    async click(bot, by, { action_id, value }, secret = signingSecret) {
      clicks += 1;
      const payload = {
        type: 'block_actions',
        team: { id: TEAM, domain: 'acme' },
        user: { id: by, team_id: TEAM, name: 'someone' },
        trigger_id: `trigger-${clicks}`,
        response_url: inbox.url,
        channel: { id: CHANNEL, name: 'general' },
        container: { type: 'message', channel_id: CHANNEL, message_ts: '1.1' },
        actions: [{ type: 'button', action_id, block_id: 'b', action_ts: `1700000000.${clicks}`, value, text: {} }],
      };
      const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString();
      const timestamp = String(Math.floor(Date.now() / 1_000));
      const signature = createHmac('sha256', secret).update(`v0:${timestamp}:${body}`).digest('hex');
      const response = await fetch(`${bot}/slack/events`, {
        method: 'POST',
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'x-slack-request-timestamp': timestamp,
          'x-slack-signature': `v0=${signature}`,
        },
        body,
      });
      await response.arrayBuffer();
      return response.status;
    },
    async stop() {
      await inbox.close();
      await emulator.close();
    },
  };
}

/** The button of a card that is called `action`, if it has one now. */
export const buttonOf = (card: Card | undefined, action: string): Button | undefined =>
  card?.blocks
    .flatMap(({ elements }) => elements)
    .flatMap((element) => button.safeParse(element).data ?? [])
    .find(({ action_id }) => action_id === action);
