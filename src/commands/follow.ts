import type { App } from '../app.ts';
import type { Entry } from '../core/entry.ts';
import { entriesFrom } from '../custody/read.ts';
import { scrub } from '../ingest/patterns.ts';
import type { Io } from './io.ts';

/**
 * Hands `tell` every entry from now on, in order, whichever process appended it: a decision at another terminal belongs to the story
 * too. It looks whenever this process appends. Returns the way to stop.
 */
export async function follow(
  { ledger, options }: App,
  tell: (entries: readonly Entry[]) => void,
  onError: (error: unknown) => void,
): Promise<() => void> {
  let told = (await ledger.head()).size;
  let looking: Promise<void> = Promise.resolve();
  const look = async (): Promise<void> => {
    const news = await entriesFrom(options.store.db, told);
    told += news.length;
    tell(news);
  };
  return ledger.onAppend(() => {
    looking = looking.then(look).catch(onError);
  });
}

/** A story that cannot be told must not stop what it tells of. */
export const trouble =
  (io: Io) =>
  (error: unknown): void =>
    io.err(scrub(error instanceof Error ? error.message : String(error)));
