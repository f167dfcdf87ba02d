import type { Credential } from '../core/credential.ts';
import type { Actor } from '../core/entry.ts';
import type { Exposure, Severity, Validity } from '../core/finding.ts';
import type { ApprovalRule, Effect, Phase } from '../core/plan.ts';

export type Role = 'responder' | 'lead' | 'approver' | 'auditor';

/** A person we can name. `authn` values (`slack:U012AB`, `cli:ana`, `console:local`) that are not listed are nobody. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly email?: string;
  readonly roles: readonly Role[];
  readonly authn: readonly string[];
}

/** What is known of a credential besides what its provider says: from the inventory. */
export interface Holding {
  readonly environment?: string;
  readonly owner?: string;
  /** Never touched by the bot alone: its own keys, break-glass. */
  readonly protected?: string;
  /** A canary: never revoked; people are told. */
  readonly honeytoken?: boolean;
}

/** What people can ask of the bot. */
export type PersonAction =
  | 'view'
  | 'revoke'
  | 'approve'
  | 'deny'
  | 'answer'
  | 'undo'
  | 'retry'
  | 'freeze'
  | 'thaw'
  | 'drill';

export interface PhaseQuestion {
  readonly phase: Phase;
  /** Every effect that the phase's steps have. */
  readonly effects: readonly Effect[];
  readonly credential: Credential;
  readonly holding: Holding;
  readonly severity: Severity;
  readonly exposure: Exposure;
  readonly validity: Validity;
  /** A person asked for this run, by id. */
  readonly requestedBy?: string;
  /** The bot has acted by itself as often as the brake allows for now. */
  readonly braked: boolean;
}

export type TriageAnswer = { readonly verdict: 'act' | 'tell'; readonly because: string };

/** The rules, as they stand in one version. Every answer carries its reasons, in words for people. */
export interface Policy {
  /** Of the policy texts: recorded with every decision that they made. */
  readonly sha256: string;
  /** Whether a finding may lead to action at all, or people are only told. */
  triage(question: Omit<PhaseQuestion, 'phase' | 'effects'>): TriageAnswer;
  /** Who must approve before the phase begins: `people: 0` is *do it*. Fails closed: an error in a policy asks two leads. */
  approvalFor(question: PhaseQuestion): ApprovalRule;
  /** Whether this person may do this. */
  may(person: Person, action: PersonAction, rule?: ApprovalRule): { readonly ok: boolean; readonly because: string };
}

/** Maps how someone came in (`actor.authn`) to a person; undefined is nobody, and nobody may do anything. */
export interface Roster {
  readonly people: readonly Person[];
  find(authn: string): Person | undefined;
}

export const actorOf = (person: Person, authn: string): Actor => ({ kind: 'person', id: person.id, authn });
