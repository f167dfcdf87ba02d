import { hash } from 'node:crypto';
import { z } from 'zod';
import type { Clock } from '../core/clock.ts';
import type { Actor } from '../core/entry.ts';
import type { Ledger } from '../custody/ledger.ts';
import type { Person, Role } from '../policy/policy.ts';
import { ROLES } from '../policy/rule.ts';
import type { Reader } from '../store/store.ts';

/** Tokens stand in the settings by their hash: a copy of the database lets nobody in. They are 256 random bits, so a plain hash is enough. */
const KEY = 'api.token.';
/** Says what it is to whoever finds it, and to secret scanners. */
const PREFIX = 'tqt_';

const grant = z.object({
  id: z.string(),
  person: z.string(),
  /** No other roles of the person count; null where all of them do. */
  roles: z.array(z.enum(ROLES)).nullable(),
  until: z.number(),
  createdAt: z.number(),
  createdBy: z.string(),
});

/** What a token lets its bearer be: a person, or less. */
export type Grant = z.infer<typeof grant>;

export interface TokenParts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** 256 fresh random bits in text at every call. */
  readonly newToken: () => string;
}

export interface NewToken {
  readonly person: Person;
  /** Leaves out all other roles of the person. */
  readonly roles?: readonly Role[];
  readonly validForMs: number;
  readonly by: Actor;
}

/** A new token, which is shown once and kept nowhere; who asked for it goes on record. */
export async function issueToken(
  { ledger, clock, newToken }: TokenParts,
  { person, roles, validForMs, by }: NewToken,
): Promise<{ readonly token: string; readonly grant: Grant }> {
  const token = PREFIX + newToken();
  const now = clock.now().getTime();
  const id = digest(token).slice(0, 12);
  const given: Grant = {
    id,
    person: person.id,
    roles: roles === undefined ? null : [...roles],
    until: now + validForMs,
    createdAt: now,
    createdBy: by.id,
  };
  const until = new Date(given.until).toISOString();
  await ledger.commit(async (tx, append) => {
    await tx
      .insertInto('setting')
      .values({ key: KEY + digest(token), value: JSON.stringify(given) })
      .execute();
    const less = given.roles === null ? '' : ` with no other roles than ${given.roles.join(', ')}`;
    append({
      type: 'access',
      actor: by,
      what: 'api',
      purpose: `the token ${id} was issued for ${person.id}${less}, until ${until}`,
    });
  });
  return { token, grant: given };
}

/** What `token` grants, expired or not; null when there is no such token. */
export async function findToken(db: Reader, token: string): Promise<Grant | null> {
  const key = KEY + digest(token);
  const row = await db.selectFrom('setting').select('value').where('key', '=', key).executeTakeFirst();
  return row ? grant.parse(JSON.parse(row.value)) : null;
}

/** Every token that was not revoked, the newest first. */
export async function listTokens(db: Reader): Promise<readonly Grant[]> {
  const rows = await db.selectFrom('setting').select('value').where('key', 'like', `${KEY}%`).execute();
  return rows.map(({ value }) => grant.parse(JSON.parse(value))).sort((a, b) => b.createdAt - a.createdAt);
}

/** Ends a token at once; who ended it goes on record. False when there is none called `id`. */
export async function revokeToken({ ledger }: Pick<TokenParts, 'ledger'>, id: string, by: Actor): Promise<boolean> {
  return ledger.commit(async (tx, append) => {
    const rows = await tx.selectFrom('setting').selectAll().where('key', 'like', `${KEY}%`).execute();
    const row = rows.find(({ value }) => grant.parse(JSON.parse(value)).id === id);
    if (!row) return false;
    await tx.deleteFrom('setting').where('key', '=', row.key).execute();
    append({ type: 'access', actor: by, what: 'api', purpose: `the token ${id} was revoked` });
    return true;
  });
}

/** How whoever bears the token is known. */
export const authnOf = ({ id }: Grant): string => `api:${id}`;

const digest = (token: string): string => hash('sha256', token, 'hex');
