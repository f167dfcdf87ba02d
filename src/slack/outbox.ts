import { WebAPIHTTPError, WebAPIPlatformError, WebAPIRateLimitedError, WebAPIRequestError } from '@slack/web-api';
import type { Clock } from '../core/clock.ts';
import { milliseconds } from '../core/duration.ts';
import type { Ledger } from '../custody/ledger.ts';
import { type IncidentView, readIncident } from '../incident/view.ts';
import type { Leadership } from '../store/leader.ts';
import type { CardTable } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { card, type PageOf } from './card.ts';
import type { Channel } from './channel.ts';
import type { Log } from './log.ts';
import { createLoop } from './loop.ts';
import { nextChapter } from './thread.ts';

export interface OutboxOptions {
  readonly store: Store;
  readonly ledger: Pick<Ledger, 'onAppend'>;
  readonly channel: Channel;
  readonly clock: Clock;
  readonly log: Log;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly pageOf?: PageOf;
  /** Of the replicas on this store, one speaks. */
  readonly leadership: Leadership;
}

export interface Tick {
  readonly posted: number;
  readonly updated: number;
  readonly replied: number;
  /** Incidents that Slack does not show as they are now; the next tick tries again. */
  readonly failed: number;
}

/**
 * Shows every incident in one card that is updated in place, with its history in the card's thread. Only reads what happened;
 * nothing waits for it, so that containment never waits for Slack. Of the outboxes on one store that were started, one speaks.
 */
export interface Outbox {
  /** Brings Slack up to date, or as far as it lets us. Never rejects because of Slack. Ticks run one after another. */
  tick(): Promise<Tick>;
  /** Ticks after every commit of any replica, and now and then for those of which nobody told, until `stop`. */
  start(): void;
  stop(): Promise<void>;
}

/** chat.postMessage takes one message a second and channel; https://docs.slack.dev/apis/web-api/rate-limits */
const PACE = milliseconds('1s');
/** An incident that was over before Slack was ever told of it is not news. */
const NEWS = milliseconds('24h');
/** Where a card is being posted, or was when the process died. */
const POSTING = '';

export function createOutbox(options: OutboxOptions): Outbox {
  const { store, ledger, channel, clock, log, sleep, pageOf, leadership } = options;
  let notBefore = 0;
  let running: Promise<unknown> = Promise.resolve();

  /** Waits for this channel's next turn. */
  async function turn(): Promise<void> {
    const wait = notBefore - clock.now().getTime();
    if (wait > 0) await sleep(Math.min(wait, PACE));
    notBefore = clock.now().getTime() + PACE;
  }

  async function tick(): Promise<Tick> {
    const done = { posted: 0, updated: 0, replied: 0, failed: 0 };
    if (notBefore - clock.now().getTime() > PACE) return { ...done, failed: (await due()).length };
    const waiting = await due();
    for (const [index, id] of waiting.entries()) {
      try {
        await show(id, done);
      } catch (error) {
        if (!isSlackError(error)) throw error;
        log.warn({ incident: id, ...reasonOf(error) }, 'Slack does not show an incident as it is now; trying again');
        done.failed += 1;
        if (error instanceof WebAPIPlatformError) continue; // about this message alone
        if (error instanceof WebAPIRateLimitedError) notBefore = clock.now().getTime() + error.retryAfter * 1_000;
        done.failed += waiting.length - index - 1;
        break;
      }
    }
    return done;
  }

  async function due(): Promise<readonly string[]> {
    const news = new Date(clock.now().getTime() - NEWS).toISOString();
    const rows = await store.db
      .selectFrom('incident')
      .leftJoin('card', 'card.incident', 'incident.id')
      .select(['incident.id', 'incident.severity'])
      .where((row) =>
        row.or([
          row.and([
            row('card.incident', 'is', null),
            row.or([row('incident.state', '=', 'open'), row('incident.closed_at', '>', news)]),
          ]),
          row('incident.revision', '>', row.ref('card.revision')),
          row.exists(
            row
              .selectFrom('ledger')
              .select('ledger.seq')
              .whereRef('ledger.incident', '=', 'incident.id')
              .whereRef('ledger.seq', '>', 'card.told_seq'),
          ),
        ]),
      )
      .orderBy('incident.number')
      .execute();
    const rank = (severity: string): number => ['critical', 'high', 'medium', 'low'].indexOf(severity);
    return rows.toSorted((a, b) => rank(a.severity) - rank(b.severity)).map((row) => row.id);
  }

  async function show(id: string, done: { posted: number; updated: number; replied: number }): Promise<void> {
    const view = await readIncident(store.db, id, clock.now());
    if (!view) return;
    const before = await readCard(id);
    let ts: string;
    if (before === undefined || before.ts === POSTING) {
      ts = await place(view, before !== undefined);
      done.posted += 1;
    } else {
      ts = before.ts;
      if (view.revision > before.revision) {
        await turn();
        await update(view, ts);
        done.updated += 1;
      }
    }
    const chapter = nextChapter(view, before?.told_seq ?? -1);
    if (!chapter) return;
    if (chapter.message) {
      await turn();
      await channel.reply(ts, chapter.message);
      done.replied += 1;
    }
    await setCard(id, { told_seq: chapter.upTo });
  }

  /**
   * Posts the card once. The row is written before the call, as an intent: when the call's answer is lost, the next tick finds the
   * row without a place and asks the channel's history before it posts again.
   */
  async function place(view: IncidentView, doubtful: boolean): Promise<string> {
    if (!doubtful) {
      const row = { incident: view.id, channel: channel.id, ts: POSTING, revision: 0, told_seq: -1 };
      await store.transaction((tx) => tx.insertInto('card').values(row).execute());
    }
    const found = doubtful ? await findAgain(view) : null;
    await turn();
    if (found) {
      await channel.update(found, card(view, pageOf));
      await setCard(view.id, { ts: found, revision: view.revision });
      return found;
    }
    const ts = await channel.post(view.id, card(view, pageOf));
    await setCard(view.id, { ts, revision: view.revision });
    return ts;
  }

  /** A channel whose history we may not read is no reason to stay silent: better a card twice than none. */
  async function findAgain(view: IncidentView): Promise<string | null> {
    try {
      return await channel.find(view.id, Math.floor(Date.parse(view.openedAt) / 1_000) - 60);
    } catch (error) {
      if (!(error instanceof WebAPIPlatformError)) throw error;
      log.warn({ incident: view.id, ...reasonOf(error) }, 'Slack does not let us look for the card; posting it again');
      return null;
    }
  }

  async function update(view: IncidentView, ts: string): Promise<void> {
    try {
      await channel.update(ts, card(view, pageOf));
    } catch (error) {
      // Someone deleted the card, or it belongs to an earlier app: the next tick posts it anew.
      if (error instanceof WebAPIPlatformError && GONE.has(error.data.error)) await setCard(view.id, { ts: POSTING });
      throw error;
    }
    await setCard(view.id, { revision: view.revision });
  }

  const readCard = (id: string): Promise<CardTable | undefined> =>
    store.db.selectFrom('card').selectAll().where('incident', '=', id).executeTakeFirst();

  const setCard = (id: string, values: Partial<Omit<CardTable, 'incident'>>): Promise<unknown> =>
    store.transaction((tx) => tx.updateTable('card').set(values).where('incident', '=', id).execute());

  function inTurn(): Promise<Tick> {
    const next = running.then(tick, tick);
    running = next;
    return next;
  }

  async function attempt(): Promise<boolean> {
    const led = await leadership.lead(inTurn);
    return led === null || led.did.failed === 0;
  }

  function onNews(listener: () => void): () => void {
    const here = ledger.onAppend(listener);
    const elsewhere = store.onNotice(listener);
    return () => {
      here();
      elsewhere();
    };
  }

  const loop = createLoop({ attempt, onNews, log, sleep });
  return {
    tick: inTurn,
    start: loop.start,
    async stop() {
      await loop.stop();
      await leadership.resign();
    },
  };
}

const GONE = new Set(['message_not_found', 'cant_update_message']);

type SlackCallError = WebAPIPlatformError | WebAPIRateLimitedError | WebAPIRequestError | WebAPIHTTPError;
const isSlackError = (error: unknown): error is SlackCallError =>
  error instanceof WebAPIPlatformError ||
  error instanceof WebAPIRateLimitedError ||
  error instanceof WebAPIRequestError ||
  error instanceof WebAPIHTTPError;

function reasonOf(error: SlackCallError): object {
  if (error instanceof WebAPIPlatformError) return { slack: error.data.error };
  if (error instanceof WebAPIRateLimitedError) return { slack: 'rate limited', retryAfterSeconds: error.retryAfter };
  if (error instanceof WebAPIHTTPError) return { slack: `HTTP ${error.statusCode}` };
  return { slack: 'not reached' };
}
