import { fileURLToPath } from 'node:url';
import { run } from './processes.ts';
import type { Report } from './report.ts';
import { openAws } from './somebody-elses-aws.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const VITEST = 'node_modules/vitest/vitest.mjs';

/** Every operation of the AWS connector on moto: no request of ours that an AWS which we did not write would refuse. */
export async function everyOperation(report: Report, motoServer: string): Promise<void> {
  report.chapter('Every operation of the AWS connector, on an AWS that is not ours');
  const aws = await openAws(motoServer);
  try {
    const { AWS_ENDPOINT_URL: endpoint } = aws.settings;
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, AWS_CONFORMANCE_ENDPOINT: endpoint };
    const { code, said } = await run(process.execPath, [VITEST, 'run', '--reporter=dot'], { cwd: ROOT, env });
    report.check('moto takes every request and answers as our simulator does', code === 0, said);
  } finally {
    await aws.stop();
  }
}
