import type { Severity } from '../core/finding.ts';
import type { Inbox } from '../ingest/inbox.ts';
import { actorOf } from '../policy/policy.ts';
import { clueFrom, UNKNOWN_CLUE } from '../triage/clue.ts';
import { PERSON, personRequest } from '../triage/person.ts';
import { type Desk, personFor, refuse, type Said } from './desk.ts';

export interface RevocationRequest {
  /** The credential as the person knows it. It may be the secret itself: it is sealed on arrival and never shown again. */
  readonly text: string;
  readonly authn: string;
  readonly why: string;
}

/** Where alerts arrive. */
export interface Arrivals {
  readonly inbox: Inbox;
  /** Wakes triage. */
  readonly accepted: (id: string, severity: Severity) => void;
}

/** Puts a person's request for a revocation on record, in the inbox where alerts arrive too. */
export async function requestRevocation(
  desk: Desk,
  { inbox, accepted }: Arrivals,
  { text, authn, why }: RevocationRequest,
): Promise<Said> {
  const known = personFor(desk, authn, 'revoke');
  if ('refused' in known) return known.refused;
  const clue = clueFrom(text);
  if (!clue) return refuse('bad-request', UNKNOWN_CLUE);
  const { person } = known;
  const request = personRequest({ requestedBy: person.id, at: desk.clock.now().toISOString(), why, clue });
  const actor = actorOf(person, authn);
  const severity = 'critical';
  const { id } = await inbox.accept({ source: PERSON, delivery: desk.random(), request, actor, status: 0, severity });
  accepted(id, severity);
  return {
    ok: true,
    said: 'On record. Tourniquet is finding out whose credential this is; the incident follows in a moment.',
  };
}
