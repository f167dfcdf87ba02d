import type { JsonObject } from './json.ts';

export type Severity = 'critical' | 'high' | 'medium' | 'low';
/** Who can reach the credential: anyone, people inside, or nobody that we know of (only its use is odd). */
export type Exposure = 'public' | 'internal' | 'anomaly' | 'unknown';
/** What the source says of the secret; `unknown` is not `inactive`. */
export type Validity = 'active' | 'inactive' | 'unknown';

export interface Location {
  /** For people: `acme/web: deploy.env line 3, commit 1a2b3c4`. */
  readonly label: string;
  readonly url?: string;
}

/**
 * What an alert lets us know about a credential before anyone asked its provider. `kind` says which connector can
 * identify it; it is a credential kind, or a pointer such as `github.secret-scanning-alert` that leads to another clue.
 */
export interface Clue {
  readonly kind: string;
  readonly id?: string;
  readonly where?: JsonObject;
  /** Plaintext on its way from a parser to the seal; triage replaces it before anything is stored. */
  readonly secret?: string;
}

/** One credential that one alert says is leaked or misused. A parser makes it, purely, from an authenticated body. */
export interface Finding {
  /** The stream's own identity of this finding; the same value again is the same finding. */
  readonly dedupeKey: string;
  readonly title: string;
  /** Findings with the same cause join one incident. */
  readonly cause: { readonly key: string; readonly title: string };
  readonly severity: Severity;
  readonly exposure: Exposure;
  readonly validity: Validity;
  readonly clue: Clue;
  readonly locations: readonly Location[];
  /** ISO 8601, UTC. Left out where the stream does not say: then it counts as detected when it reached us. */
  readonly detectedAt?: string;
  readonly exposedAt?: string;
  /** Why this finding must only be shown, never acted on: a provider's sample, a secret no one could verify. */
  readonly showOnly?: string;
}
