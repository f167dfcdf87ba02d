import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { capturedWebhook } from './captured-webhook.ts';
import { everyOperation } from './every-operation.ts';
import { openReport } from './report.ts';
import { scannerReport } from './scanner-report.ts';
import { CACHE, gitleaks, motoServer, needs } from './tools.ts';

/**
 * `npm run e2e`: Tourniquet from the outside, as its users meet it: real processes, the real gitleaks, curl, an AWS that is not ours,
 * and a payload that GitHub sent. It gets what it needs by itself and ends with status 1 when anything did not hold.
 */
const report = openReport(
  (line) => process.stdout.write(`${line}\n`),
  () => performance.now(),
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130)); // takes its children along
await mkdir(CACHE, { recursive: true });
const dir = await mkdtemp(join(CACHE, 'run-'));

/** What breaks off one story leaves the other one to be told. */
async function tell(name: string, story: (dir: string) => Promise<void>): Promise<void> {
  const own = join(dir, name);
  await mkdir(own);
  try {
    await story(own);
  } catch (error) {
    report.check(`${name} was told to its end`, false, error instanceof Error ? error.message : String(error));
  }
}

await tell('scanner-report', async (own) => {
  await needs('git', ['--version'], 'to make a repository with a leak');
  await scannerReport(report, own, { gitleaks: await gitleaks(report), motoServer: await motoServer(report) });
});
await tell('every-operation', async () => everyOperation(report, await motoServer(report)));
await tell('captured-webhook', async (own) => {
  await needs('curl', ['--version'], 'to send what GitHub sends');
  await capturedWebhook(report, own);
});

const good = report.end();
if (good) await rm(dir, { recursive: true, force: true });
else process.stdout.write(`What was there is kept for you to look at, made-up secrets included: ${dir}\n`);
process.exitCode = good ? 0 : 1;
