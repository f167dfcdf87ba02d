import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bot } from './bot.ts';
import type { Report } from './report.ts';

/** Exports the chain of custody of an incident and verifies it as an auditor would, whole and damaged. Answers the bundle. */
export async function checkCustody(report: Report, bot: Bot, dir: string, incident: string): Promise<Buffer> {
  const out = join(dir, `${incident}.tar`);
  const policy = join(dir, `${incident}.policy`);
  const exported = await bot.run('custody', 'export', incident, '--out', out, '--policy-out', policy);
  report.check(`custody export writes ${incident} and the policy that trusts it`, exported.code === 0, exported.said);
  const whole = await bot.run('custody', 'verify', out, '--policy', policy);
  report.check('custody verify passes it (status 0)', whole.code === 0, whole.said);
  const bundle = await readFile(out);
  for (const part of [0.1, 0.5, 0.9]) {
    const at = Math.floor(bundle.length * part);
    const damaged = join(dir, 'damaged.tar');
    const bytes = Buffer.from(bundle);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(damaged, bytes);
    const { code, said } = await bot.run('custody', 'verify', damaged, '--policy', policy);
    report.check(
      `…and refuses it with byte ${at} of ${bundle.length} changed (status 1)`,
      code === 1,
      `status ${code}\n${said}`,
    );
  }
  return bundle;
}
