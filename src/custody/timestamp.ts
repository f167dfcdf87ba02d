import { hash, verify, X509Certificate } from 'node:crypto';
import { fromBER, Integer, ObjectIdentifier, OctetString, Sequence } from 'asn1js';
import {
  AlgorithmIdentifier,
  type Attribute,
  Certificate,
  ContentInfo,
  MessageImprint,
  SignedData,
  type SignerInfo,
  TimeStampReq,
  TimeStampResp,
  TSTInfo,
} from 'pkijs';

/**
 * RFC 3161 time stamps: an authority signed, at a time by its clock, that it was shown a hash. Read with pkijs and verified with
 * Node's own cryptography, at once and offline. Which authority is trusted is said from outside, by the SHA-256 of its certificate.
 */

export class BadTimestamp extends Error {
  override readonly name = 'BadTimestamp';
}

export interface Timestamp {
  readonly time: Date;
  /** SHA-256 of the DER of the certificate whose key signed it, hex. */
  readonly certificate: string;
  /** The decimal digits of the request's, or undefined where there is none. */
  readonly nonce: string | undefined;
}

const SHA256 = '2.16.840.1.101.3.4.2.1';
const DIGESTS: Readonly<Record<string, string>> = {
  [SHA256]: 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const SIGNED_DATA = '1.2.840.113549.1.7.2';
const TST_INFO = '1.2.840.113549.1.9.16.1.4';
const CONTENT_TYPE = '1.2.840.113549.1.9.3';
const MESSAGE_DIGEST = '1.2.840.113549.1.9.4';
const SIGNING_CERTIFICATE = '1.2.840.113549.1.9.16.2.12'; // ESS, RFC 2634: SHA-1
const SIGNING_CERTIFICATE_V2 = '1.2.840.113549.1.9.16.2.47'; // RFC 5816
const TIME_STAMPING = '1.3.6.1.5.5.7.3.8';

/** The request for a time stamp of `message`, in DER. `nonce` (8 bytes) ties the answer to it. */
export function timestampRequest(message: Uint8Array, nonce: Uint8Array): Buffer {
  const request = new TimeStampReq({
    version: 1,
    messageImprint: new MessageImprint({
      hashAlgorithm: new AlgorithmIdentifier({ algorithmId: SHA256 }),
      hashedMessage: new OctetString({ valueHex: exact(hash('sha256', message, 'buffer')) }),
    }),
    nonce: new Integer({ valueHex: exact(Buffer.concat([Buffer.of(0x01), nonce])) }), // positive, whatever its first bit
    certReq: true,
  });
  return Buffer.from(request.toSchema().toBER());
}

/** The token in an authority's answer, in DER. Throws BadTimestamp when it was not granted. */
export function tokenIn(response: Uint8Array): Buffer {
  const { status, timeStampToken } = decoded('answer', () => new TimeStampResp({ schema: parsed(response) }));
  if ((status.status !== 0 && status.status !== 1) || !timeStampToken) {
    throw new BadTimestamp(`The authority did not grant it (status ${status.status})`);
  }
  return Buffer.from(timeStampToken.toSchema().toBER());
}

/**
 * What `token` says of `message`. Throws BadTimestamp unless it is a time stamp of exactly `message`, its signature is by the one
 * certificate that it names, and that certificate was good for time stamps at that time.
 */
export const readTimestamp = (token: Uint8Array, message: Uint8Array): Timestamp =>
  decoded('token', () => read(token, message));

function read(token: Uint8Array, message: Uint8Array): Timestamp {
  const content = new ContentInfo({ schema: parsed(token) });
  if (content.contentType !== SIGNED_DATA) throw new BadTimestamp('It is not signed data');
  const signed = new SignedData({ schema: content.content });
  const { eContentType, eContent } = signed.encapContentInfo;
  if (eContentType !== TST_INFO || !eContent) throw new BadTimestamp('It does not hold a time stamp');
  const info = Buffer.from(eContent.getValue());
  const [signer, ...more] = signed.signerInfos;
  if (!signer || more.length > 0) throw new BadTimestamp('It does not have exactly one signer');
  const certificate = certificateOf(signed, signer, info);
  const stamp = new TSTInfo({ schema: parsed(info) });
  const { hashAlgorithm, hashedMessage } = stamp.messageImprint;
  if (
    hashAlgorithm.algorithmId !== SHA256 ||
    !same(hashedMessage.valueBlock.valueHexView, hash('sha256', message, 'buffer'))
  ) {
    throw new BadTimestamp('It is the time stamp of something else');
  }
  if (stamp.genTime < certificate.validFromDate || stamp.genTime > certificate.validToDate) {
    throw new BadTimestamp("Its time is outside of its certificate's validity");
  }
  return {
    time: stamp.genTime,
    certificate: hash('sha256', certificate.raw, 'hex'),
    nonce: stamp.nonce && Buffer.from(stamp.nonce.valueBlock.valueHexView).toString('hex'),
  };
}

/** The certificate that signed, found by the hash that the signature itself covers (ESS), never by its mere presence. */
function certificateOf({ certificates }: SignedData, signer: SignerInfo, info: Buffer): X509Certificate {
  const digest = DIGESTS[signer.digestAlgorithm.algorithmId];
  if (!digest || !signer.signedAttrs) throw new BadTimestamp('Its signature is of a kind that is not accepted here');
  const attributes = new Map(signer.signedAttrs.attributes.map((attribute) => [attribute.type, attribute]));
  const [type] = valuesOf(attributes.get(CONTENT_TYPE));
  if (!(type instanceof ObjectIdentifier) || type.valueBlock.toString() !== TST_INFO)
    throw new BadTimestamp('Its signature is over another type of content');
  const [covered] = valuesOf(attributes.get(MESSAGE_DIGEST));
  if (!(covered instanceof OctetString) || !same(covered.valueBlock.valueHexView, hash(digest, info, 'buffer'))) {
    throw new BadTimestamp('Its signature is over another content');
  }
  const named = namedCertificate(attributes);
  const raw = (certificates ?? [])
    .filter((each) => each instanceof Certificate)
    .map((each) => Buffer.from(each.toSchema(false).toBER()))
    .find((der) => same(hash(named.digest, der, 'buffer'), named.bytes));
  if (!raw) throw new BadTimestamp('The certificate that it names is not in it');
  const certificate = new X509Certificate(raw);
  if (!certificate.keyUsage?.includes(TIME_STAMPING)) throw new BadTimestamp('Its certificate is not for time stamps');
  const signature = signer.signature.valueBlock.valueHexView;
  const attributesDer = Buffer.from(signer.signedAttrs.encodedValue); // as a SET, which is what is signed (RFC 5652 §5.4)
  if (!verify(digest, attributesDer, certificate.publicKey, signature))
    throw new BadTimestamp('Its signature does not verify');
  return certificate;
}

function namedCertificate(attributes: ReadonlyMap<string, Attribute>): {
  readonly digest: string;
  readonly bytes: Uint8Array;
} {
  const v2 = attributes.get(SIGNING_CERTIFICATE_V2);
  const [value] = valuesOf(v2 ?? attributes.get(SIGNING_CERTIFICATE));
  const certificates = value instanceof Sequence ? value.valueBlock.value[0] : undefined;
  const first = certificates instanceof Sequence ? certificates.valueBlock.value[0] : undefined;
  const parts = first instanceof Sequence ? first.valueBlock.value : [];
  const [head, second] = parts;
  if (v2 && head instanceof Sequence && second instanceof OctetString) {
    const [algorithm] = head.valueBlock.value;
    const digest = algorithm instanceof ObjectIdentifier ? DIGESTS[algorithm.valueBlock.toString()] : undefined;
    if (digest) return { digest, bytes: second.valueBlock.valueHexView };
  }
  if (head instanceof OctetString) return { digest: v2 ? 'sha256' : 'sha1', bytes: head.valueBlock.valueHexView };
  throw new BadTimestamp('It does not name the certificate that signed it');
}

const valuesOf = (attribute: Attribute | undefined): readonly unknown[] => attribute?.values ?? [];

function parsed(der: Uint8Array) {
  const { offset, result } = fromBER(exact(der));
  if (offset !== der.length) throw new BadTimestamp('It is not one whole DER value');
  return result;
}

/** pkijs throws errors of many kinds at what is malformed. */
function decoded<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof BadTimestamp) throw error;
    throw new BadTimestamp(`The ${what} is malformed (${error instanceof Error ? error.message : String(error)})`);
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
const exact = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;
