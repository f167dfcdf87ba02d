import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { publicHalf, publicPart, sshLine } from '../../../connectors/github/ssh-key.ts';

const pairs = {
  Ed25519: generateKeyPairSync('ed25519'),
  RSA: generateKeyPairSync('rsa', { modulusLength: 2_048 }),
  'P-256': generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-521': generateKeyPairSync('ec', { namedCurve: 'P-521' }),
};

const field = (bytes: Uint8Array | string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, Buffer.from(bytes)]);
};

/** What `ssh-keygen` writes: the public half in the clear, then a private half that only its passphrase opens. */
function openssh(line: string, cipher: string): string {
  const blob = Buffer.from(line.split(' ')[1] ?? '', 'base64');
  const count = Buffer.from([0, 0, 0, 1]);
  const head = ['openssh-key-v1\0', field(cipher), field('bcrypt'), field('salt and rounds'), count, field(blob)];
  const body = Buffer.concat([...head.map((part) => Buffer.from(part)), field('not for us')]).toString('base64');
  const fence = (word: string) => `-----${word} ${['OPENSSH', 'PRIVATE', 'KEY'].join(' ')}-----`;
  return `${fence('BEGIN')}\n${body.replace(/(.{70})/g, '$1\n')}\n${fence('END')}\n`;
}

describe('the public half of a leaked private key', () => {
  it.each(Object.entries(pairs))('is told from PEM: %s', (_name, { publicKey, privateKey }) => {
    const line = sshLine(publicKey);
    expect(publicHalf(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())).toBe(line);
    expect(line).toMatch(/^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|521)) AAAA/);
  });

  it.each(['none', 'aes256-ctr'])('is told from OpenSSH’s own format, encrypted with %s', (cipher) => {
    const line = sshLine(pairs.Ed25519.publicKey) ?? '';
    expect(publicHalf(openssh(line, cipher))).toBe(line);
  });

  it('is told from nothing else', () => {
    expect(publicHalf('hunter2')).toBeNull();
    expect(publicHalf(openssh('', 'none').replace(/\n.*\n/, '\nAAAA\n'))).toBeNull();
    expect(sshLine(createPublicKey(generateKeyPairSync('x25519').privateKey))).toBeNull();
  });

  it('is compared without its comment', () => {
    expect(publicPart('ssh-ed25519 AAAA  ada@laptop\n')).toBe('ssh-ed25519 AAAA');
  });
});
