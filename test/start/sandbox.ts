import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { launchBrowser } from '../browser.ts';

const LAUNCHER = fileURLToPath(new URL('../../src/launch.cjs', import.meta.url));

export interface Story {
  /** Everything that the terminal showed. */
  readonly terminal: string;
  /** What the page said in the end. */
  readonly page: string;
  /** Milliseconds from the start of the process until alerts were accepted. */
  readonly coldStartMs: number;
}

/** Runs `npm start`'s command under the Node in `node`, approves in a real browser by a click, and waits for the end. */
export async function sandboxStory(
  node: string,
  { screenshot }: { readonly screenshot?: string } = {},
): Promise<Story> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tourniquet-start-'));
  const started = performance.now();
  const child = spawn(node, [LAUNCHER, 'start'], {
    env: { PATH: process.env.PATH, HOME: process.env.HOME, PORT: '0', TOURNIQUET_DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const terminal = watch(child);
  try {
    const url = (await terminal.until(/^Page: (http:\S+)/m))[1] ?? '';
    await fetch(`${url}/healthz`);
    const coldStartMs = performance.now() - started;
    await terminal.until(/waits for 1 approval/);
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      await page.goto(`${url}/incidents/INC-1`);
      await page
        .getByRole('button', { name: /approve/i })
        .first()
        .click();
      await terminal.until(/is over: contained and proved dead/);
      await page.goto(`${url}/incidents/INC-1`);
      if (screenshot) await page.screenshot({ path: screenshot, fullPage: true });
      return { terminal: terminal.text(), page: await page.locator('main').innerText(), coldStartMs };
    } finally {
      await browser.close();
    }
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
    await rm(dataDir, { recursive: true, force: true });
  }
}

function watch(child: ChildProcess): { until(pattern: RegExp): Promise<RegExpExecArray>; text(): string } {
  let text = '';
  const look = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      for (const each of look) each();
    });
  }
  child.on('exit', () => {
    for (const each of look) each();
  });
  return {
    text: () => text,
    until: (pattern) =>
      new Promise((resolve, reject) => {
        const check = (): void => {
          const found = pattern.exec(text);
          if (!found && child.exitCode === null) return;
          look.delete(check);
          if (found) resolve(found);
          else reject(new Error(`It ended without ${pattern}:\n${text}`));
        };
        look.add(check);
        check();
      }),
  };
}
