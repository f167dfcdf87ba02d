import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import { milliseconds } from '../core/duration.ts';
import type { Actor } from '../core/entry.ts';
import type { Ledger } from '../custody/ledger.ts';
import { actorOf, type Person, type Roster } from '../policy/policy.ts';
import type { Store, Tx } from '../store/store.ts';
import type { Session } from './session.ts';

/** Long enough to walk from the terminal to the browser. */
export const LINK_VALID_FOR = milliseconds('10m');
/** One shift. */
export const SESSION_VALID_FOR = milliseconds('12h');

export interface LinkParts {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** 256 fresh random bits in text at every call. */
  readonly newToken: () => string;
}

export const randomToken = (): string => randomBytes(32).toString('base64url');

/** Links and sessions stand in the settings by their hash, so that a copy of the database lets nobody in. */
const LINK = 'console.link.';
const SESSION = 'console.session.';
const pass = z.object({ person: z.string(), until: z.number() });

/** A way in for `person`, for one use within `LINK_VALID_FOR`; who asked for it goes on record. The link is `/login?token=…`. */
export async function issueLink({ ledger, clock, newToken }: LinkParts, person: Person, by: Actor): Promise<string> {
  const token = newToken();
  await ledger.commit(async (tx, append) => {
    await forgetExpired(tx, clock.now());
    await remember(tx, LINK + digest(token), { person: person.id, until: clock.now().getTime() + LINK_VALID_FOR });
    append({ type: 'access', actor: by, what: 'console', purpose: `a one-time link was issued for ${person.id}` });
  });
  return token;
}

/**
 * People come in with a link from `issueLink` and are then known as `console:<person id>`. Links and sessions live in the store:
 * a restart signs nobody out, and a link is used once whichever replica it reaches.
 */
export function linkSession({ store, ledger, clock, newToken }: LinkParts, roster: Roster): Session {
  return {
    howToEnter:
      'Run npx tourniquet console-link on the machine where Tourniquet runs, and open the link that it prints.',
    async personFor({ cookie }) {
      if (cookie === undefined) return null;
      const key = SESSION + digest(cookie);
      const row = await store.db.selectFrom('setting').select('value').where('key', '=', key).executeTakeFirst();
      if (!row) return null;
      const { person, until } = pass.parse(JSON.parse(row.value));
      return clock.now().getTime() < until ? { authn: authnOf(person) } : null;
    },
    login: {
      enter: (token) =>
        ledger.commit(async (tx, append) => {
          const now = clock.now();
          await forgetExpired(tx, now);
          const link = await takeLink(tx, token);
          if (link === null) return null;
          const person = roster.find(authnOf(link.person));
          if (!person) return null;
          const cookie = newToken();
          const until = now.getTime() + SESSION_VALID_FOR;
          await remember(tx, SESSION + digest(cookie), { person: person.id, until });
          const actor = actorOf(person, authnOf(person.id));
          append({ type: 'access', actor, what: 'console', purpose: 'signed in with a one-time link' });
          return { cookie, maxAgeSeconds: SESSION_VALID_FOR / 1_000 };
        }),
      async leave(cookie) {
        const key = SESSION + digest(cookie);
        await store.transaction((tx) => tx.deleteFrom('setting').where('key', '=', key).execute());
      },
    },
  };
}

export const authnOf = (person: string): string => `console:${person}`;

const digest = (token: string): string => hash('sha256', token, 'hex');

async function remember(tx: Tx, key: string, value: z.infer<typeof pass>): Promise<void> {
  await tx
    .insertInto('setting')
    .values({ key, value: JSON.stringify(value) })
    .execute();
}

/** Finds the link that `token` opens and removes it. Every link is compared, in constant time. */
async function takeLink(tx: Tx, token: string): Promise<z.infer<typeof pass> | null> {
  const sought = Buffer.from(LINK + digest(token));
  const links = await tx.selectFrom('setting').selectAll().where('key', 'like', `${LINK}%`).execute();
  const found = links.filter(({ key }) => key.length === sought.length && timingSafeEqual(Buffer.from(key), sought));
  const [link] = found;
  if (!link) return null;
  await tx.deleteFrom('setting').where('key', '=', link.key).execute();
  return pass.parse(JSON.parse(link.value));
}

async function forgetExpired(tx: Tx, now: Date): Promise<void> {
  const rows = await tx
    .selectFrom('setting')
    .selectAll()
    .where((eb) => eb.or([eb('key', 'like', `${LINK}%`), eb('key', 'like', `${SESSION}%`)]))
    .execute();
  const over = rows.filter(({ value }) => pass.parse(JSON.parse(value)).until <= now.getTime()).map(({ key }) => key);
  if (over.length > 0) await tx.deleteFrom('setting').where('key', 'in', over).execute();
}
