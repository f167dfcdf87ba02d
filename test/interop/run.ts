/**
 * Serves a log and a witness of ours to a Go program that is built on other people's code, and lets it judge them. Needs Go 1.26
 * and its module proxy, so it is no part of `npm test`. Exits with 1 when anything of it fails.
 *
 *   npm run test:interop
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { exportBundle } from '../../src/custody/bundle.ts';
import { inclusionFile } from '../../src/custody/layout.ts';
import { logRoutes } from '../../src/custody/log-routes.ts';
import { readTar } from '../../src/custody/tar.ts';
import { listen, listenerOf } from '../../src/listen.ts';
import { append, heartbeat, openFixture, STORY } from '../custody/fixture.ts';
import { anchoringOf, startWitness } from '../custody/outside.ts';

const GO = fileURLToPath(new URL('go', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'interop-'));
const program = join(dir, 'interop');
execFileSync('go', ['build', '-o', program, '.'], { cwd: GO, stdio: 'inherit' });

const fixture = await openFixture();
const { store, signer, clock, ledger } = fixture;
await append(fixture, STORY);
await ledger.commit(async (_tx, append) => {
  for (let i = 0; i < 690; i += 1) append(heartbeat);
});
const witness = await startWitness([signer.vkey], { at: Date.now() });
await anchoringOf(fixture, [witness]).anchoring.anchorHead();
const tool = { name: 'tourniquet', version: '0.1.0', configSha256: '0'.repeat(64) };
const bundle = await exportBundle({ store, signer, tool, now: clock.now(), incident: 'inc-1' });
const proof = readTar(bundle).find(({ name }) => name === inclusionFile(6));
if (!proof) throw new Error('The bundle has no proof of entry 6');
writeFileSync(join(dir, 'proof'), proof.bytes);
writeFileSync(
  join(dir, 'policy'),
  `log ${signer.vkey}\nwitness w ${witness.vkey} ${witness.url}\ngroup g any w\nquorum g\n`,
);
const routes = logRoutes({ db: store.db, vkey: signer.vkey, publicEntries: true });
const server = await listen(listenerOf(routes.fetch), { host: '127.0.0.1', port: 0 });
try {
  const args = [`${server.url}/log`, signer.vkey, witness.url, witness.vkey, join(dir, 'proof'), join(dir, 'policy')];
  const child = spawn(program, args, { stdio: 'inherit' });
  process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
} finally {
  await server.close();
  await witness.close();
  await store.close();
  rmSync(dir, { recursive: true, force: true });
}
