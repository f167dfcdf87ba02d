/**
 * Takes the pictures of the README anew: node src/launch.cjs --script test/docs/screenshots.ts
 * They show the page of the sandbox's incident as it waits for its approval, light and dark.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { launchBrowser } from '../browser.ts';

const HOME = fileURLToPath(new URL('../..', import.meta.url));
const SIZE = { width: 1120, height: 1140 };

/** Resolves with the address of the incident's page once its containment is done and a person is asked. */
async function pageOf(sandbox: ChildProcess): Promise<string> {
  if (!sandbox.stdout) throw new Error('The sandbox has no output to read.');
  for await (const line of createInterface(sandbox.stdout)) {
    const [url] = /http:\S+\/incidents\/INC-1/.exec(line) ?? [];
    if (url) return url;
  }
  throw new Error('The sandbox ended before it asked for an approval.');
}

const dir = mkdtempSync(join(tmpdir(), 'tourniquet-pictures-'));
const sandbox = spawn(process.execPath, [join(HOME, 'src/launch.cjs'), 'start'], {
  cwd: dir,
  env: { PATH: process.env.PATH, PORT: '0' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
const browser = await launchBrowser();
try {
  const url = await pageOf(sandbox);
  for (const colorScheme of ['light', 'dark'] as const) {
    const page = await browser.newPage({ viewport: SIZE, colorScheme, deviceScaleFactor: 1.5 });
    await page.goto(url);
    await page
      .getByRole('button', { name: /approve/i })
      .first()
      .waitFor();
    await page.screenshot({ path: join(HOME, `docs/incident-${colorScheme}.png`) });
    await page.close();
  }
} finally {
  await browser.close();
  sandbox.kill('SIGTERM');
  rmSync(dir, { recursive: true, force: true });
}
