import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { begin, type Ran, type Running } from './processes.ts';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url));

/** Tourniquet as somebody installed it: commands in processes of their own, which know nothing but these settings. */
export interface Bot {
  readonly dataDir: string;
  /** One command, to its end. */
  run(...args: readonly string[]): Promise<Ran>;
  /** What `show` knows of an incident. Rejects with what was said when it could not be shown. */
  show(incident: string): Promise<unknown>;
  /** One that goes on. */
  begin(...args: readonly string[]): Running;
  /** Whatever any of them has said so far. */
  said(): string;
  /** What it keeps on disk. */
  kept(): Promise<readonly { readonly name: string; readonly bytes: Buffer }[]>;
}

export async function install(dir: string, settings: Readonly<Record<string, string>>): Promise<Bot> {
  const home = join(dir, 'home');
  const dataDir = join(dir, 'data');
  await mkdir(home, { recursive: true });
  const env = { PATH: process.env.PATH, HOME: home, TOURNIQUET_DATA_DIR: dataDir, ...settings };
  const begun: Running[] = [];
  const start = (args: readonly string[]): Running => {
    const running = begin('node', ['src/launch.cjs', ...args], { cwd: REPOSITORY, env });
    begun.push(running);
    return running;
  };
  return {
    dataDir,
    run: (...args) => start(args).ended,
    async show(incident) {
      const { code, said } = await start(['show', incident, '--json']).ended;
      if (code !== 0) throw new Error(`show ${incident} ended with status ${code}:\n${said}`);
      return JSON.parse(said);
    },
    begin: (...args) => start(args),
    said: () => begun.map((each) => each.said()).join('\n'),
    kept: async () =>
      Promise.all((await readdir(dataDir)).map(async (name) => ({ name, bytes: await readFile(join(dataDir, name)) }))),
  };
}
