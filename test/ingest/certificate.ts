import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** DER (X.690): tag, length, content. Only what a self-signed certificate needs. */
function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const { length } = body;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), body]);
}

const sequence = (...content: readonly Uint8Array[]): Buffer => der(0x30, ...content);
const oid = (...bytes: readonly number[]): Buffer => der(0x06, Buffer.from(bytes));
const utcTime = (date: Date): Buffer =>
  der(
    0x17,
    Buffer.from(
      `${date
        .toISOString()
        .replace(/[-:T]|\.\d+/g, '')
        .slice(2, 14)}Z`,
    ),
  );

const SHA256_WITH_RSA = sequence(oid(0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b), der(0x05));
const COMMON_NAME = oid(0x55, 0x04, 0x03);

export interface TestCertificate {
  readonly pem: string;
  readonly privateKey: KeyObject;
}

/** A self-signed RSA certificate (RFC 5280, version 1) made on the spot, so that no private key lies in the tree. */
export function selfSigned(commonName: string, from: Date, to: Date): TestCertificate {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const name = sequence(der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from(commonName)))));
  const serial = der(0x02, Buffer.from([1]));
  const toBeSigned = sequence(serial, SHA256_WITH_RSA, name, sequence(utcTime(from), utcTime(to)), name, publicKey);
  const signature = der(0x03, Buffer.from([0]), sign('RSA-SHA256', toBeSigned, privateKey));
  const encoded = sequence(toBeSigned, SHA256_WITH_RSA, signature).toString('base64');
  const pem = [
    '-----BEGIN CERTIFICATE-----',
    ...(encoded.match(/.{1,64}/g) ?? []),
    '-----END CERTIFICATE-----',
    '',
  ].join('\n');
  return { pem, privateKey };
}
