import { WebClient } from '@slack/web-api';
import { z } from 'zod';
import type { DoctorCheck } from '../core/connector.ts';

const manifestScopes = ['chat:write', 'commands', 'channels:history'];
const who = z.object({
  team: z.string().optional(),
  user: z.string().optional(),
  response_metadata: z.object({ scopes: z.array(z.string()).optional() }).optional(),
});

/** Asks Slack who we are and which scopes the token has. Posts nothing. */
export async function examineSlack(config: {
  readonly botToken: string;
  readonly apiUrl: string;
  readonly channel: string;
}): Promise<readonly DoctorCheck[]> {
  const client = new WebClient(config.botToken, {
    slackApiUrl: `${config.apiUrl.replace(/\/+$/, '').replace(/\/api$/, '')}/api/`,
    retryConfig: { retries: 0 },
    timeout: 10_000,
  });
  try {
    const { team, user, response_metadata } = who.parse(await client.auth.test());
    const scopes = response_metadata?.scopes ?? [];
    const checks: DoctorCheck[] = [
      { name: 'bot token', state: 'ok', detail: `${user ?? 'a bot'} in ${team ?? 'a workspace'}` },
    ];
    if (scopes.length === 0)
      return [...checks, { name: 'scopes', state: 'unknown', detail: 'Slack did not say which scopes the token has' }];
    for (const scope of manifestScopes) {
      checks.push(
        scopes.includes(scope)
          ? { name: scope, state: 'ok', detail: 'granted' }
          : { name: scope, state: 'missing', detail: 'reinstall the app from slack-manifest.json' },
      );
    }
    return checks;
  } catch (error) {
    const code =
      error instanceof Error && 'data' in error
        ? z.object({ error: z.string() }).safeParse(error.data).data?.error
        : undefined;
    return [
      {
        name: 'bot token',
        state: 'missing',
        detail: `Slack refused it or could not be reached (${code ?? 'no answer'})`,
      },
    ];
  }
}
