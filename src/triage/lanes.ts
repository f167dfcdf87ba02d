import type { Bell } from '../core/bell.ts';
import type { Severity } from '../core/finding.ts';
import type { InboxItem } from '../ingest/queue.ts';
import type { Urgency } from '../ingest/urgency.ts';
import { type Triage, triageSafely } from './triage.ts';

export interface LaneOptions {
  readonly triage: Triage;
  readonly urgency: Urgency;
  /** Rings when there is news. */
  readonly bell: Bell;
  readonly stopping: AbortSignal;
  readonly onError: (error: unknown, where: string) => void;
  /** Called again and again while triage is alive. */
  readonly onBeat: () => void;
}

/** The mildest that each lane takes: however many mild alerts wait for slow providers, one lane is free for what is severe. */
const LANES: readonly Severity[] = ['critical', 'high', 'low', 'low'];
const POLL_MS = 250;

/** Triages alerts as they come, several at once, until told to stop; resolves when the last one in hand is done. */
export async function runLanes({ triage, urgency, bell, stopping, onError, onBeat }: LaneOptions): Promise<void> {
  const taken = new Set<string>();

  /** Takes an item for one lane. */
  async function takeNext(mildest: Severity): Promise<InboxItem | null> {
    for (;;) {
      const item = await triage.inbox.next({ except: taken, mildest });
      if (!item) return null;
      if (taken.has(item.id)) continue; // another lane was faster
      taken.add(item.id);
      return item;
    }
  }

  async function work(mildest: Severity): Promise<void> {
    while (!stopping.aborted) {
      if (mildest !== 'critical') await urgency.giveWay();
      const item = await takeNext(mildest);
      if (!item) return;
      try {
        await triageSafely(triage, item, onError);
      } finally {
        taken.delete(item.id);
        urgency.end(item.id);
      }
      onBeat();
    }
  }

  async function lane(mildest: Severity): Promise<void> {
    while (!stopping.aborted) {
      const heard = bell.count;
      await work(mildest).catch((error: unknown) => onError(error, 'triage'));
      onBeat();
      await bell.wait(POLL_MS, heard, stopping);
    }
  }

  await Promise.all(LANES.map(lane));
}
