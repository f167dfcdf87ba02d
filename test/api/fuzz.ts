/**
 * Serves the API with a few incidents on a real port, and lets Schemathesis (from PyPI, into a temporary folder) send whatever its
 * document allows and forbids: node src/launch.cjs --script test/api/fuzz.ts. Exit status 1 when the document is no valid OpenAPI 3.1,
 * an answer is not as it says, or the server fails.
 */
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { listen, listenerOf } from '../../src/listen.ts';
import { tellStory } from '../console/world.ts';
import { openWorld } from './world.ts';

const VENV = join(tmpdir(), 'tourniquet-schemathesis');
const PACKAGES = ['schemathesis==4.32.5', 'openapi-spec-validator==0.7.2'];
const INCIDENTS = 5;
/** Examples for each operation and phase. */
const EXAMPLES = process.argv[2] ?? '60';

const run = (command: string, args: readonly string[]): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', cwd: tmpdir() }); // where it leaves its caches
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
const must = async (command: string, args: readonly string[]): Promise<void> => {
  const code = await run(command, args);
  if (code !== 0) throw new Error(`${command} ended with ${code}`);
};

if (!existsSync(join(VENV, 'bin', 'schemathesis'))) {
  await must('python3', ['-m', 'venv', VENV]);
  await must(join(VENV, 'bin', 'pip'), ['install', '--quiet', ...PACKAGES]);
}

const world = await openWorld();
for (let number = 1; number <= INCIDENTS; number += 1) await tellStory(world.inner, { number });
const token = await world.tokenOf('ana', { validForMs: 86_400_000 });
const server = await listen(listenerOf(world.fetch), { host: '127.0.0.1', port: 0 });
const document = `${server.url}/api/v1/openapi.json`;
const file = join(VENV, 'openapi.json');
writeFileSync(file, await (await fetch(document)).text());
const invalid = await run(join(VENV, 'bin', 'openapi-spec-validator'), ['--schema', '3.1', file]);
const failed = await run(join(VENV, 'bin', 'schemathesis'), [
  '--config-file',
  fileURLToPath(new URL('schemathesis.toml', import.meta.url)),
  'run',
  document,
  '--header',
  `Authorization: Bearer ${token}`,
  '--checks=all',
  `--max-examples=${EXAMPLES}`,
  '--seed=1',
  '--no-color',
]);
await server.close();
await world.inner.store.close();
for (const trouble of world.troubles) process.stderr.write(`the server failed: ${String(trouble)}\n`);
process.exitCode = invalid === 0 && failed === 0 && world.troubles.length === 0 ? 0 : 1;
