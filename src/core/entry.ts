import type { Credential } from './credential.ts';
import type { FailureCode } from './failure.ts';
import type { Exposure, Location, Severity, Validity } from './finding.ts';
import type { Json, JsonObject } from './json.ts';
import type { Phase, Plan } from './plan.ts';

/** `live` acts on real providers; `sandbox` and `drill` act on simulated ones and can never be mistaken for it: their origin differs. */
export type Mode = 'live' | 'sandbox' | 'drill';

/** Who did it, and how we know: a click is not an identity until it is mapped to a person. */
export interface Actor {
  readonly kind: 'person' | 'bot' | 'source';
  readonly id: string;
  /** `slack:U012AB`, `cli:os-user`, `console:local`, `hmac:github`, `engine`. */
  readonly authn: string;
}

/** What an entry is about, without its secret. `fp` is a keyed fingerprint `hmac256:<pepper-id>:<hex>`. */
export interface EntryObject {
  readonly provider: string;
  readonly account?: string;
  readonly kind: string;
  readonly ref: string;
  readonly fp?: string;
}

export interface FailureRecord {
  readonly code: FailureCode;
  readonly message: string;
}

/** What happened. One case per entry type of custody.md; the journal of a run is the entries that carry its id. */
export type EntryBody =
  | {
      readonly type: 'alert.received';
      readonly source: string;
      /** The stream's delivery id, where it has one. */
      readonly delivery?: string;
      readonly outcome: 'accepted' | 'duplicate' | 'rejected';
      /** The HTTP status that was answered, 0 where the alert did not come by HTTP. */
      readonly status: number;
      readonly size: number;
      /** Keyed, because a body may hold a secret that could be guessed from a plain hash. */
      readonly bodyFp?: string;
      readonly because?: string;
    }
  | { readonly type: 'decision'; readonly decision: Decision }
  | { readonly type: 'plan'; readonly stage: 'assess' | 'response'; readonly plan: Plan; readonly sha256: string }
  | {
      readonly type: 'approval';
      readonly verdict: 'approve' | 'deny';
      readonly planSha256: string;
      readonly phases: readonly Phase[];
      /** ISO 8601; the approval must be used by then. */
      readonly expiresAt: string;
      readonly nonce: string;
    }
  | {
      readonly type: 'intent';
      readonly step: string;
      readonly attempt: number;
      readonly op: string;
      readonly input: Json;
      /** The state before, read and recorded before a reversible step acts. */
      readonly before?: Json;
      readonly idempotencyKey: string;
    }
  | {
      readonly type: 'result';
      readonly step: string;
      readonly attempt: number;
      readonly outcome: StepOutcome;
      /** How we know: the call answered, a probe answered, or a person did. */
      readonly by: 'call' | 'probe' | 'person';
      readonly out?: Json;
      readonly error?: FailureRecord;
      /** Earliest next attempt, ISO 8601, when `outcome` is `retry`. */
      readonly retryAt?: string;
      readonly requestIds?: readonly string[];
    }
  | {
      readonly type: 'undo';
      readonly step: string;
      readonly attempt: number;
      readonly stage: 'intent' | 'done' | 'failed';
      readonly error?: FailureRecord;
      readonly retryAt?: string;
      readonly requestIds?: readonly string[];
    }
  | {
      readonly type: 'evidence';
      readonly sha256: string;
      readonly size: number;
      readonly mediaType: string;
      readonly acquiredFrom: string;
      readonly method: string;
    }
  | { readonly type: 'transfer'; readonly releasedBy: string; readonly receivedBy: string; readonly purpose: string }
  | { readonly type: 'access'; readonly what: string; readonly purpose: string }
  | { readonly type: 'key.rotate'; readonly from: string; readonly to: string; readonly signatures: readonly string[] }
  | { readonly type: 'redaction'; readonly entry: number; readonly field: string }
  | { readonly type: 'heartbeat' };

/**
 * `in-doubt` when a call may or may not have been applied: the next thing is a probe. `done`, and `seen` for a confirmation that still waits out the provider's propagation; `retry` and `failed` after an
 * answer that means nothing was applied; `not-done` when a probe found nothing applied; `unknown` ends with a person.
 */
export type StepOutcome = 'in-doubt' | 'done' | 'seen' | 'retry' | 'not-done' | 'failed' | 'unknown' | 'skipped';

/** Decisions, each by a named actor: triage, policy, the engine at a phase boundary, or a person. */
export type Decision =
  | {
      readonly is: 'finding';
      readonly source: string;
      readonly dedupeKey: string;
      readonly title: string;
      readonly severity: Severity;
      readonly exposure: Exposure;
      readonly locations: readonly Location[];
      readonly detectedAt: string;
      readonly exposedAt?: string;
      /** `act`: joined a run. `told`: shown to people, never acted on. */
      readonly verdict: 'act' | 'told';
      readonly because: string;
    }
  | { readonly is: 'incident-opened'; readonly title: string; readonly severity: Severity; readonly cause: string }
  | {
      readonly is: 'run-opened';
      readonly runbook: string;
      readonly credential: Credential;
      readonly params: JsonObject;
      /** What policy will be asked about, as the finding that opened the run had it. */
      readonly severity: Severity;
      readonly exposure: Exposure;
      readonly validity: Validity;
      /** The person who asked for it, by id; absent where an alert did. */
      readonly requestedBy?: string;
    }
  | { readonly is: 'phase-begun'; readonly phase: Phase; readonly because: string }
  | { readonly is: 'phase-ended'; readonly phase: Phase; readonly ok: boolean; readonly because: string }
  | { readonly is: 'closed'; readonly because: string }
  | { readonly is: 'undo-requested'; readonly steps: readonly string[] }
  | { readonly is: 'undo-ended'; readonly ok: boolean }
  | { readonly is: 'retry-requested' }
  | { readonly is: 'answered'; readonly step: string; readonly answer: string }
  | { readonly is: 'frozen' }
  | { readonly is: 'thawed' };

/** What the writer of an entry says; the ledger adds place, time, tool and mode. */
export type EntryDraft = EntryBody & {
  readonly actor: Actor;
  readonly incident?: string;
  readonly run?: string;
  readonly authority?: { readonly policySha256?: string; readonly approvals?: readonly number[] };
  readonly object?: EntryObject;
  readonly why?: string;
  /** Entries that this one answers, by sequence number. */
  readonly refs?: readonly number[];
};

/** One entry of the chain of custody, as its canonical bytes (RFC 8785) parse. */
export type Entry = EntryDraft & {
  readonly v: 1;
  /** The origin of the log it belongs to. */
  readonly ledger: string;
  readonly seq: number;
  readonly id: string;
  readonly time: {
    readonly utc: string;
    readonly source: 'system' | 'virtual';
    /** Decimal digits: nanoseconds pass the safe integers after 104 days. */
    readonly monotonicNs: string;
    readonly bootId: string;
  };
  readonly mode: Mode;
  readonly tool: { readonly name: string; readonly version: string; readonly configSha256: string };
};
