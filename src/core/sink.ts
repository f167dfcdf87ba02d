import type { Json, JsonObject } from './json.ts';
import type { Probe } from './probe.ts';

/** Where the users of a credential read it: `{ kind: 'aws.secrets-manager', … }`. What else it holds is the sink's own schema. */
export type SinkTarget = { readonly kind: string } & JsonObject;

/** What a write leaves behind: enough to find it again, never the value. */
export type SinkReceipt = { readonly version: string };

/**
 * One place that takes a new secret. A new secret goes from its provider straight into `write`, inside one operation,
 * and is never stored anywhere else.
 */
export interface Sink {
  /** What a person calls this place: `Secrets Manager prod/deploy-bot`. */
  readonly label: string;
  /** The state to compare with and, where the provider can, to return to. */
  before(): Promise<Json>;
  /** Writes `fields` (`accessKeyId` and so on). The same `idempotencyKey` again changes nothing. */
  write(fields: Readonly<Record<string, string>>, idempotencyKey: string): Promise<SinkReceipt>;
  /** Whether the write under this key is in place. */
  probe(before: Json, idempotencyKey: string): Promise<Probe<SinkReceipt>>;
  /** Makes what was there before current again. Absent where the provider cannot: a write-only sink. */
  readonly restore?: (before: Json) => Promise<void>;
}
