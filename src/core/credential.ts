import type { z } from 'zod';
import type { JsonObject } from './json.ts';

/**
 * Names a secret value that is kept sealed (encrypted) outside steps, journal and messages.
 * Only an operation can open it, through its context, and only while it runs.
 */
export type SealedRef = `sealed:${string}`;

/** One credential that someone else may hold. `kind` and `id` together name it; `where` is what its provider needs to find it. */
export interface Credential<K extends string = string, W extends JsonObject = JsonObject> {
  readonly kind: K;
  /** Public and stable: an access key id, a deploy key's number, or a keyed fingerprint where the provider offers no id. Never a secret. */
  readonly id: string;
  readonly where: W;
  /** The secret itself, if the alert brought it. */
  readonly secret?: SealedRef;
}

/** A kind of credential, for example `aws.access-key`, with the shape of its `where`. */
export interface CredentialKind<K extends string = string, W extends JsonObject = JsonObject> {
  readonly kind: K;
  /** What a person calls it: "AWS access key". */
  readonly title: string;
  readonly where: z.ZodType<W>;
}

export const credentialKind = <K extends string, W extends JsonObject>(
  kind: K,
  title: string,
  where: z.ZodType<W>,
): CredentialKind<K, W> => ({ kind, title, where });

/** The target lock: at most one open run may hold it. */
export const lockOf = (credential: Pick<Credential, 'kind' | 'id'>): string => `${credential.kind}:${credential.id}`;
