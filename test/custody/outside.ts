import { execFileSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type AnchoringOptions, type AnchorTrouble, createAnchoring } from '../../src/custody/anchors/anchoring.ts';
import { parseWitnesses } from '../../src/custody/anchors/witness-client.ts';
import { createCosigner } from '../../src/custody/cosignature.ts';
import { parseVkey } from '../../src/custody/note.ts';
import { serveWitness } from '../../src/witness/server.ts';
import { fileState } from '../../src/witness/state.ts';
import type { Fixture } from './fixture.ts';

/** Those outside the log: real witnesses over HTTP, and OpenSSL as a time-stamping authority. */

export interface TestWitness {
  readonly name: string;
  readonly vkey: string;
  readonly url: string;
  readonly dir: string;
  close(): Promise<void>;
}

export async function startWitness(
  logs: readonly string[],
  { seed = 5, dir = mkdtempSync(join(tmpdir(), 'witness-')), at = 1_772_355_600_000 } = {},
): Promise<TestWitness> {
  const name = `witness.example.net/w${seed}`;
  const cosigner = createCosigner(name, new Uint8Array(32).fill(seed));
  const keys = logs.map((vkey) => parseVkey(vkey));
  const server = await serveWitness(
    { cosigner, logs: keys, state: fileState(dir), now: () => new Date(at) },
    {
      host: '127.0.0.1',
      port: 0,
      onError: (error) => {
        throw error;
      },
    },
  );
  return {
    name,
    vkey: cosigner.vkey,
    url: server.url,
    dir,
    async close() {
      await server.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export interface TestAuthority {
  readonly url: string;
  /** As a policy names it. */
  readonly certificate: string;
  close(): Promise<void>;
}

const CONFIG = (dir: string): string => `
[tsa]
default_tsa = tsa1
[tsa1]
serial = ${dir}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
[req]
distinguished_name = dn
[dn]
[ext]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
`;

/** OpenSSL's own \`ts\` behind HTTP. */
export async function startAuthority(): Promise<TestAuthority> {
  const dir = mkdtempSync(join(tmpdir(), 'tsa-'));
  const file = (name: string): string => join(dir, name);
  const openssl = (...args: string[]): Buffer => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  writeFileSync(file('tsa.cnf'), CONFIG(dir));
  writeFileSync(file('serial'), '01\n');
  openssl(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-days',
    '3650',
    '-subj',
    '/CN=Test TSA',
    '-config',
    file('tsa.cnf'),
    '-extensions',
    'ext',
    '-keyout',
    file('tsa.key'),
    '-out',
    file('tsa.pem'),
  );
  openssl('x509', '-in', file('tsa.pem'), '-outform', 'DER', '-out', file('tsa.der'));
  let counter = 0;
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    counter += 1;
    const [query, answer] = [file(`${counter}.tsq`), file(`${counter}.tsr`)];
    writeFileSync(query, Buffer.concat(chunks));
    openssl(
      'ts',
      '-reply',
      '-config',
      file('tsa.cnf'),
      '-queryfile',
      query,
      '-signer',
      file('tsa.pem'),
      '-inkey',
      file('tsa.key'),
      '-out',
      answer,
    );
    response
      .writeHead(200, { 'content-type': 'application/timestamp-reply', connection: 'close' })
      .end(readFileSync(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    certificate: hash('sha256', readFileSync(file('tsa.der')), 'hex'),
    async close() {
      await new Promise((resolve) => server.close(resolve));
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Anchoring of a fixture's log, and what it told. */
export function anchoringOf(
  { store, signer }: Pick<Fixture, 'store' | 'signer'>,
  witnesses: readonly Pick<TestWitness, 'vkey' | 'url'>[],
  over: Partial<AnchoringOptions> = {},
) {
  const troubles: AnchorTrouble[] = [];
  const anchoring = createAnchoring({
    store,
    vkey: signer.vkey,
    witnesses: parseWitnesses(witnesses.map(({ vkey, url }) => `${vkey} ${url}`).join('\n')),
    authorities: [],
    fetch,
    now: () => new Date(),
    random: (bytes) => new Uint8Array(bytes).fill(9),
    alert: (trouble) => troubles.push(trouble),
    ...over,
  });
  return { anchoring, troubles };
}
