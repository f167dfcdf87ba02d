import type { Entry } from '../core/entry.ts';
import type { Ledger } from '../custody/ledger.ts';

export interface LiveOptions {
  readonly ledger: Ledger;
  /** Whether a page that shows this must be drawn again. */
  readonly concerns: (entry: Entry) => boolean;
  /** Asked at every tick: a session can end while its page stays open. */
  readonly stillIn: () => Promise<boolean>;
  /** How often the connection is kept alive, and the log compared with what this process saw: another replica may have written. */
  readonly tickMs: number;
  readonly onTrouble: (error: unknown) => void;
}

/**
 * Server-sent events (HTML Living Standard §9.2) that say *something changed*, never what: the page fetches itself again, so
 * that there is one way to draw it and one place that decides who may see it.
 */
export function liveStream({ ledger, concerns, stillIn, tickMs, onTrouble }: LiveOptions): Response {
  let stop = (): void => {};
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async start(controller) {
        let open = true;
        const send = (text: string): void => {
          // A reader that has not taken the last signal needs no second one.
          if (open && (controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(text));
        };
        const changed = (): void => send('event: changed\ndata:\n\n');
        let seen = 0;
        const unsubscribe = ledger.onAppend((entries) => {
          seen = Math.max(seen, (entries.at(-1)?.seq ?? -1) + 1);
          if (entries.some(concerns)) changed();
        });
        const timer = setInterval(() => void tick(), tickMs);
        stop = () => {
          open = false;
          clearInterval(timer);
          unsubscribe();
        };
        const end = (): void => {
          if (!open) return;
          stop();
          controller.close();
        };
        const tick = async (): Promise<void> => {
          try {
            if (!(await stillIn())) {
              send('event: signed-out\ndata:\n\n');
              return end();
            }
            const { size } = await ledger.head();
            if (size > seen) {
              seen = size;
              changed();
            } else send(':\n\n');
          } catch (error) {
            onTrouble(error);
            end();
          }
        };
        seen = Math.max(seen, (await ledger.head()).size);
        send('retry: 2000\n\n');
      },
      cancel: () => stop(),
    },
    { highWaterMark: 4 },
  );
  return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
}
