import { hash } from 'node:crypto';
import type { WebClient } from '@slack/web-api';
import { z } from 'zod';
import type { Store } from '../store/store.ts';

const shape = z.strictObject({ token: z.string(), team: z.string(), user: z.string() });

/** Who our token makes us, in which workspace. */
export type Identity = Pick<z.infer<typeof shape>, 'team' | 'user'>;

const KEY = 'slack.identity';

/**
 * Asks Slack once (auth.test) who we are and keeps the answer in the store, so that a restart needs no Slack that can be reached.
 * Rejects as the call does while Slack cannot be reached and has never answered for this token.
 */
export function identityOf(store: Store, client: WebClient, botToken: string): () => Promise<Identity> {
  // Cut short: it tells tokens apart and says nothing of them.
  const token = hash('sha256', botToken, 'hex').slice(0, 16);
  let known: Identity | undefined;
  return async () => {
    known ??= (await stored(store, token)) ?? (await ask(store, client, token));
    return known;
  };
}

async function stored(store: Store, token: string): Promise<Identity | undefined> {
  const row = await store.db.selectFrom('setting').select('value').where('key', '=', KEY).executeTakeFirst();
  const kept = row && shape.parse(JSON.parse(row.value));
  return kept?.token === token ? kept : undefined;
}

async function ask(store: Store, client: WebClient, token: string): Promise<Identity> {
  const { team_id: team, user_id: user } = await client.auth.test();
  if (!team || !user) throw new Error('Slack did not say which workspace and user the bot token belongs to');
  const value = JSON.stringify({ token, team, user } satisfies z.infer<typeof shape>);
  await store.transaction((tx) =>
    tx
      .insertInto('setting')
      .values({ key: KEY, value })
      .onConflict((conflict) => conflict.column('key').doUpdateSet({ value }))
      .execute(),
  );
  return { team, user };
}
