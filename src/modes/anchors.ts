import { randomBytes } from 'node:crypto';
import type { AppOptions } from '../app.ts';
import { Bell } from '../core/bell.ts';
import { type Anchoring, createAnchoring } from '../custody/anchors/anchoring.ts';
import { parseAuthorities } from '../custody/anchors/timestamp-client.ts';
import { parseWitnesses } from '../custody/anchors/witness-client.ts';
import type { Ledger } from '../custody/ledger.ts';
import type { Log } from '../log.ts';

/** Asked again after this time even when nothing was appended: who was away may be back. */
const AGAIN_MS = 60_000;
/** Appends within this time are anchored together. */
const GATHER_MS = 500;

/** Those outside who vouch for the log of this app, as its environment names them. Throws BadNote where it names them wrongly. */
export function anchoringOf(
  { store, signer, env, clock, mode }: Pick<AppOptions, 'store' | 'signer' | 'env' | 'clock' | 'mode'>,
  log: Log,
): Anchoring {
  const outside = mode === 'live';
  return createAnchoring({
    store,
    vkey: signer.vkey,
    witnesses: outside ? parseWitnesses(env.TOURNIQUET_WITNESSES ?? '') : [],
    authorities: outside ? parseAuthorities(env.TOURNIQUET_TIMESTAMPS ?? '') : [],
    fetch,
    now: () => clock.now(),
    random: randomBytes,
    alert: ({ name, because, grave }) =>
      grave
        ? log.fatal(
            { anchor: name },
            `The custody log is in question: ${name} does not vouch for it, because ${because}`,
          )
        : log.warn({ anchor: name }, `${name} does not vouch for the custody log for now: ${because}`),
  });
}

/** Anchors the log as it grows, beside everything else and in nobody's way. Returns the way to stop. */
export function startAnchors(anchoring: Anchoring, ledger: Pick<Ledger, 'onAppend'>, log: Log): () => Promise<void> {
  const stopping = new AbortController();
  const bell = new Bell();
  const stopListening = ledger.onAppend(() => bell.ring());
  const news = async (signal: AbortSignal): Promise<void> => {
    const heard = bell.count;
    await bell.wait(AGAIN_MS, heard, signal);
    await new Bell().wait(GATHER_MS, 0, signal);
  };
  const forever = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await anchoring
        .run(news, stopping.signal)
        .catch((error: unknown) => log.error({ err: error }, 'anchoring failed'));
      await new Bell().wait(GATHER_MS, 0, stopping.signal);
    }
  };
  const running = forever();
  return async () => {
    stopListening();
    stopping.abort();
    await running;
  };
}
