// `npm start` under every Node there is here: the one on the PATH, and the one that npm installed. Looks, and says what it saw.
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sandboxStory } from '../start/sandbox.ts';

let failed = 0;
const nodes = ['node', process.execPath];
for (const node of nodes) {
  const version = execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();
  const screenshot = join(tmpdir(), `tourniquet-start-${version}.png`);
  const { terminal, page } = await sandboxStory(node, { screenshot });
  const ok = /is over: contained and proved dead/.test(terminal) && /dead for good/.test(page);
  if (!ok) failed += 1;
  process.stdout.write(`${ok ? '✓' : '✗'} npm start on Node ${version}; the page at the end: ${screenshot}\n`);
}
process.stdout.write(`${nodes.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
