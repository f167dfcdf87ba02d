import type { Clock } from '../core/clock.ts';
import type { Ledger } from '../custody/ledger.ts';
import type { Person, PersonAction, Policy, Roster } from '../policy/policy.ts';
import type { Store } from '../store/store.ts';

/** What every decision needs. Slack, the console and the command line all write decisions through the functions of this folder. */
export interface Desk {
  readonly store: Store;
  readonly ledger: Ledger;
  readonly policy: Policy;
  readonly roster: Roster;
  readonly clock: Clock;
  /** A fresh UUID at every call. */
  readonly random: () => string;
}

/** Why a decision was not taken. Nothing was written. */
export type RefusalCode =
  | 'nobody' // the click is not mapped to a person
  | 'not-allowed'
  | 'not-found'
  | 'stale-plan'
  | 'own-request'
  | 'already'
  | 'not-waiting'
  | 'nothing-to-undo'
  | 'locked'
  | 'bad-request';

/** `said` and `message` are for the person who decided, in plain words: what happened, or why not and what to do. */
export type Said =
  | { readonly ok: true; readonly said: string; readonly incident?: string }
  | { readonly ok: false; readonly code: RefusalCode; readonly message: string };

export const refuse = (code: RefusalCode, message: string): Said => ({ ok: false, code, message });

export type Known = { readonly person: Person } | { readonly refused: Said };

/** The person behind `authn`: a click is not an identity until it is mapped to one. */
export function personBehind(desk: Desk, authn: string): Known {
  const person = desk.roster.find(authn);
  if (person) return { person };
  const message = `Tourniquet does not know who ${authn} is, so this was not done. Ask an administrator to add you to the people file.`;
  return { refused: refuse('nobody', message) };
}

/** The person behind `authn`, if policy lets them do `action` at all. */
export function personFor(desk: Desk, authn: string, action: PersonAction): Known {
  const known = personBehind(desk, authn);
  if ('refused' in known) return known;
  const { person } = known;
  const allowed = desk.policy.may(person, action);
  if (!allowed.ok) return { refused: refuse('not-allowed', `You may not ${action}: ${allowed.because}`) };
  return { person };
}
