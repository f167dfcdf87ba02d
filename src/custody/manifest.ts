import { hash } from 'node:crypto';
import { z } from 'zod';
import type { Entry, Mode } from '../core/entry.ts';
import { canonicalJson, decodeUnbounded } from './canonical.ts';
import { ENVELOPE, MANIFEST } from './layout.ts';
import { BadNote, parseVkey, type VerifierKey, verifyEd25519 } from './note.ts';
import type { Signer } from './signer.ts';
import type { TarFile } from './tar.ts';

/**
 * What a bundle holds, as an in-toto Statement v1 (https://github.com/in-toto/attestation) of which every other file is a
 * subject, signed in a DSSE envelope (https://github.com/secure-systems-lab/dsse).
 */

const PAYLOAD_TYPE = 'application/vnd.in-toto+json';
const PREDICATE_TYPE = 'urn:tourniquet:custody-bundle:v1';

/** A whole ledger, or one incident with the proofs that its entries are in the ledger. */
export type Scope = { readonly kind: 'ledger' } | { readonly kind: 'incident'; readonly incident: string };

export interface BundleFacts {
  readonly scope: Scope;
  readonly log: { readonly origin: string; readonly size: number; readonly root: string };
  readonly mode: Mode;
  /** ISO 8601, by the exporter's clock. */
  readonly exportedAt: string;
  readonly tool: Entry['tool'];
}

export interface Manifest extends BundleFacts {
  /** SHA-256, hex, by file name. */
  readonly digests: ReadonlyMap<string, string>;
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const statement = z.strictObject({
  _type: z.literal('https://in-toto.io/Statement/v1'),
  subject: z.array(z.strictObject({ name: z.string(), digest: z.strictObject({ sha256 }) })),
  predicateType: z.literal(PREDICATE_TYPE),
  predicate: z.strictObject({
    scope: z.discriminatedUnion('kind', [
      z.strictObject({ kind: z.literal('ledger') }),
      z.strictObject({ kind: z.literal('incident'), incident: z.string() }),
    ]),
    log: z.strictObject({ origin: z.string(), size: z.int().min(1), root: sha256 }),
    mode: z.enum(['live', 'sandbox', 'drill']),
    exportedAt: z.iso.datetime({ precision: 3 }),
    tool: z.strictObject({ name: z.string(), version: z.string(), configSha256: z.string() }),
  }),
});
const envelope = z.strictObject({
  payload: z.base64(),
  payloadType: z.literal(PAYLOAD_TYPE),
  signatures: z.tuple([z.strictObject({ keyid: z.string(), sig: z.base64() })]),
});

/** manifest.json and its signed envelope for `files`. */
export function writeManifest(facts: BundleFacts, files: readonly TarFile[], signer: Signer): readonly TarFile[] {
  const subject = files
    .map(({ name, bytes }) => ({ name, digest: { sha256: hash('sha256', bytes, 'hex') } }))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  const payload = Buffer.from(
    canonicalJson({
      _type: 'https://in-toto.io/Statement/v1',
      subject,
      predicateType: PREDICATE_TYPE,
      predicate: facts,
    }),
  );
  const signed = {
    payload: payload.toString('base64'),
    payloadType: PAYLOAD_TYPE,
    signatures: [
      { keyid: keyId(parseVkey(signer.vkey)), sig: Buffer.from(signer.sign(preAuth(payload))).toString('base64') },
    ],
  };
  return [
    { name: MANIFEST, bytes: payload },
    { name: ENVELOPE, bytes: Buffer.from(canonicalJson(signed)) },
  ];
}

/** Reads a manifest without believing it. Throws NotCanonical or BadNote when it is malformed. */
export function readManifest(bytes: Uint8Array): Manifest {
  const parsed = statement.safeParse(decodeUnbounded(bytes));
  if (!parsed.success) throw new BadNote(`It is not the manifest of a custody bundle: ${explain(parsed.error)}`);
  const { subject, predicate } = parsed.data;
  const digests = new Map(subject.map(({ name, digest }) => [name, digest.sha256]));
  if (digests.size !== subject.length) throw new BadNote('It names a file twice');
  return { ...predicate, digests };
}

/** Throws NotCanonical or BadNote unless `bytes` is the DSSE envelope of exactly `payload`, signed by `key`. */
export function checkEnvelope(bytes: Uint8Array, payload: Uint8Array, key: VerifierKey): void {
  const parsed = envelope.safeParse(decodeUnbounded(bytes));
  if (!parsed.success) throw new BadNote(`It is not a DSSE envelope with one signature: ${explain(parsed.error)}`);
  const [{ keyid, sig }] = parsed.data.signatures;
  if (parsed.data.payload !== Buffer.from(payload).toString('base64')) {
    throw new BadNote(`What it signs is not the ${MANIFEST} beside it`);
  }
  if (keyid !== keyId(key))
    throw new BadNote(`It is signed with the key ${keyid}, which is not the trusted ${keyId(key)}`);
  const signature = Buffer.from(sig, 'base64');
  if (signature.toString('base64') !== sig || !verifyEd25519(key.publicKey, preAuth(payload), signature)) {
    throw new BadNote(`Its signature is not by the key ${keyid}`);
  }
}

/** DSSE protocol.md: PAE(type, body) = "DSSEv1" SP LEN(type) SP type SP LEN(body) SP body. */
export const preAuth = (payload: Uint8Array, type: string = PAYLOAD_TYPE): Buffer =>
  Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);

const keyId = ({ name, hash }: VerifierKey): string => `${name}+${hash}`;

function explain(error: z.ZodError): string {
  const [issue] = error.issues;
  return `${issue?.path.join('.') || 'it'}: ${issue?.message ?? 'malformed'}`;
}
