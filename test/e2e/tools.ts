import { existsSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { must, run } from './processes.ts';
import type { Report } from './report.ts';

/** Outside the repository; it can be deleted at any time. */
export const CACHE = join(tmpdir(), 'tourniquet-e2e');

const GITLEAKS = '8.30.1';
const MOTO = '5.2.5';
const asWeAre = { env: process.env }; // proxies and mirrors of packages are the machine's own

/** Throws, with what to install, when a program is not on this machine. */
export async function needs(program: string, args: readonly string[], why: string): Promise<void> {
  const answered = await run(program, args, asWeAre).then(
    ({ code }) => code === 0,
    () => false,
  );
  if (!answered) throw new Error(`The end-to-end tests need ${program}, ${why}. Install it and run them again.`);
}

/** The path of the real gitleaks, built from its source when it is not there yet. */
export async function gitleaks(report: Report): Promise<string> {
  const dir = join(CACHE, `gitleaks-${GITLEAKS}`);
  const program = join(dir, 'gitleaks');
  if (existsSync(program)) return program;
  await needs('go', ['version'], 'to build gitleaks from its source');
  report.doing(`Building gitleaks ${GITLEAKS} into ${dir}; later runs find it there`);
  await must('go', ['install', `github.com/zricethezav/gitleaks/v8@v${GITLEAKS}`], {
    env: { ...process.env, GOBIN: dir },
  });
  return program;
}

/** The path of the real moto server, AWS as somebody else imitates it, installed when it is not there yet. */
export async function motoServer(report: Report): Promise<string> {
  const dir = join(CACHE, `moto-${MOTO}`);
  const program = join(dir, 'bin', 'moto_server');
  const whole = join(dir, 'installed'); // an installation that was interrupted has no such file
  if (existsSync(whole)) return program;
  await needs('python3', ['-m', 'venv', '--help'], 'with its module venv, to install moto');
  report.doing(`Installing moto ${MOTO} into ${dir}; later runs find it there`);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  await must('python3', ['-m', 'venv', dir], asWeAre);
  await must(join(dir, 'bin', 'pip'), ['install', '--quiet', `moto[server]==${MOTO}`], asWeAre);
  await writeFile(whole, '');
  return program;
}
