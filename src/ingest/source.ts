import type { Finding } from '../core/finding.ts';
import type { JsonObject } from '../core/json.ts';

/** A request as it came, before anyone believed it. Header names are lower case. */
export interface RawRequest {
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

export type Authenticated =
  /** `delivery` is the stream's identity of this delivery: the same value again is a redelivery. */
  | { readonly ok: true; readonly delivery: string }
  /** 401: it is not from whom it says. 503: we could not find out (a certificate could not be fetched); the sender may try again. */
  | { readonly ok: false; readonly status: 401 | 503; readonly because: string };

/** What an authenticated body means. `at` names what is wrong: `/alert/number`. */
export type Parsed =
  | { readonly kind: 'findings'; readonly findings: readonly Finding[] }
  /** Nothing to act on, and why: a ping, an alert resolved elsewhere. Recorded, answered 202. */
  | { readonly kind: 'nothing'; readonly because: string }
  /** SNS: visit this URL to confirm; the topic was allow-listed and the host checked. */
  | { readonly kind: 'confirm-subscription'; readonly url: string; readonly topic: string }
  | { readonly kind: 'invalid'; readonly at: string; readonly message: string };

/** One alert stream over HTTP: a file of src/ingest/sources. Both functions are total: they return, never throw, on any bytes. */
export interface WebhookSource {
  /** The path: POST /webhooks/<name>. */
  readonly name: string;
  /** How a delivery proves where it comes from, as the ledger names it: `hmac:github`. */
  readonly authn: string;
  /** Verifies the raw body. Asynchronous because SNS certificates must be fetched. */
  authenticate(request: RawRequest, now: Date): Promise<Authenticated>;
  /** Pure: the same body gives the same findings, so that triage can parse again what was stored. */
  parse(request: RawRequest): Parsed;
}

/** A report format for `tourniquet ingest FILE`. */
export interface ReportFormat {
  readonly name: 'gitleaks' | 'sarif' | 'trufflehog';
  /** `defaults` supplies what the file does not say: the repository it was run on and its exposure. */
  parse(body: Buffer, defaults: JsonObject): Parsed;
}
