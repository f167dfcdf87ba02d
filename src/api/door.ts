import type { Desk } from '../decisions/desk.ts';
import type { Person } from '../policy/policy.ts';
import type { Problem } from './problem.ts';
import { authnOf, findToken } from './tokens.ts';

/** Whoever sent a request, and a desk that knows them: no other way in leads to more rights. */
export interface Bearer {
  readonly person: Person;
  readonly authn: string;
  readonly desk: Desk;
}

const CHALLENGE = { 'www-authenticate': 'Bearer realm="tourniquet"' };

const stranger = (detail: string): { readonly refused: Problem } => ({
  refused: { status: 401, detail, headers: CHALLENGE },
});

/** The person behind an `Authorization` header (RFC 6750, §2.1), with no more rights than they have today and the token allows. */
export async function bearerOf(
  desk: Desk,
  authorization: string | undefined,
): Promise<{ readonly bearer: Bearer } | { readonly refused: Problem }> {
  const [, token] = /^Bearer +([\w~+/.=-]{1,200})$/i.exec(authorization ?? '') ?? [];
  if (token === undefined)
    return stranger(
      'Send a token: Authorization: Bearer tqt_…. Make one with: npx tourniquet token create --person ID --expires 30d',
    );
  const grant = await findToken(desk.store.db, token);
  if (!grant) return stranger('There is no such token; it may have been revoked.');
  if (desk.clock.now().getTime() >= grant.until) return stranger('This token has expired. Ask for a new one.');
  const listed = desk.roster.people.find(({ id }) => id === grant.person);
  if (!listed)
    return {
      refused: { status: 403, detail: `The token is that of ${grant.person}, who is not in the people file any more.` },
    };
  const authn = authnOf(grant);
  const roles = listed.roles.filter((role) => grant.roles === null || grant.roles.includes(role));
  const person: Person = { ...listed, roles, authn: [authn] };
  const roster = { people: desk.roster.people, find: (way: string) => (way === authn ? person : undefined) };
  return { bearer: { person, authn, desk: { ...desk, roster } } };
}
