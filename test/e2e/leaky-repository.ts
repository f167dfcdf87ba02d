import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { must, run } from './processes.ts';
import type { Key } from './somebody-elses-aws.ts';

export interface Leaky {
  readonly dir: string;
  readonly commit: string;
}

/** A new git repository in `dir` with one commit that should not have been made. */
export async function commitSecrets(
  dir: string,
  { key, githubToken }: { key: Key; githubToken: string },
): Promise<Leaky> {
  const identity = { GIT_AUTHOR_NAME: 'Dev', GIT_AUTHOR_EMAIL: 'dev@example.org', GIT_CONFIG_GLOBAL: '/dev/null' };
  const env = {
    ...identity,
    GIT_COMMITTER_NAME: 'Dev',
    GIT_COMMITTER_EMAIL: 'dev@example.org',
    PATH: process.env.PATH,
  };
  const git = (...args: string[]): Promise<string> => must('git', ['-C', dir, ...args], { env });
  await must('git', ['init', '--quiet', dir], { env });
  const lines = [
    '# how we deploy',
    `AWS_ACCESS_KEY_ID=${key.accessKeyId}`,
    `AWS_SECRET_ACCESS_KEY=${key.secretAccessKey}`,
    `GITHUB_TOKEN=${githubToken}`,
  ];
  await writeFile(join(dir, 'deploy.env'), `${lines.join('\n')}\n`);
  await git('add', 'deploy.env');
  await git('commit', '--quiet', '-m', 'Make it work');
  return { dir, commit: (await git('rev-parse', 'HEAD')).trim() };
}

const leaks = z.array(z.looseObject({ RuleID: z.string(), Secret: z.string(), Commit: z.string() }));
export type Leaks = z.infer<typeof leaks>;

/** Runs the real gitleaks over the history, writes its report to `file` and answers what stands in it. */
export async function scan(gitleaks: string, { dir }: Leaky, file: string): Promise<{ code: number; leaks: Leaks }> {
  const args = ['git', '--no-banner', '--report-format', 'json', '--report-path', file, dir];
  const { code, said } = await run(gitleaks, args, { env: { PATH: process.env.PATH } });
  if (code !== 0 && code !== 1) throw new Error(`gitleaks ended with status ${code}:\n${said}`);
  return { code, leaks: leaks.parse(JSON.parse(await readFile(file, 'utf8'))) };
}
