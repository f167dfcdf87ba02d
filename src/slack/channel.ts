import type { WebClient } from '@slack/web-api';
import type { Identity } from './identity.ts';
import type { Message } from './text.ts';

/** Cards are found again by this mark after a crash; https://docs.slack.dev/messaging/message-metadata */
const EVENT = 'tourniquet_incident';
const PAGES = 10;

/** The one channel that cards stand in. Every call rejects with the Web API's own errors. */
export interface Channel {
  readonly id: string;
  /** Answers where the card stands. */
  post(incident: string, message: Message): Promise<string>;
  update(ts: string, message: Message): Promise<void>;
  reply(ts: string, message: Message): Promise<void>;
  /** Where a card of `incident` stands that was posted at `since` (seconds since the epoch) or later; null when none does. */
  find(incident: string, since: number): Promise<string | null>;
}

export function openChannel(client: WebClient, id: string, identity: () => Promise<Identity>): Channel {
  const quiet = { unfurl_links: false, unfurl_media: false, mrkdwn: false } as const;
  return {
    id,
    async post(incident, message) {
      const metadata = { event_type: EVENT, event_payload: { incident } };
      const { ts } = await client.chat.postMessage({ channel: id, ...message, ...quiet, metadata });
      if (!ts) throw new Error('Slack accepted a message and did not say where it stands');
      return ts;
    },
    async update(ts, message) {
      await client.chat.update({ channel: id, ts, ...message });
    },
    async reply(ts, message) {
      await client.chat.postMessage({ channel: id, thread_ts: ts, ...message, ...quiet });
    },
    async find(incident, since) {
      const { user } = await identity();
      let cursor: string | undefined;
      for (let page = 0; page < PAGES; page += 1) {
        const history = await client.conversations.history({
          channel: id,
          oldest: String(since),
          include_all_metadata: true,
          limit: 200,
          ...(cursor ? { cursor } : {}),
        });
        // Anyone may write metadata like ours: only a message of our own counts.
        const found = (history.messages ?? []).find(
          ({ metadata, user: author }) =>
            author === user && metadata?.event_type === EVENT && incidentIn(metadata.event_payload) === incident,
        );
        if (found?.ts) return found.ts;
        cursor = history.response_metadata?.next_cursor;
        if (!cursor) break;
      }
      return null;
    },
  };
}

const incidentIn = (payload: unknown): unknown =>
  typeof payload === 'object' && payload !== null && 'incident' in payload ? payload.incident : undefined;
