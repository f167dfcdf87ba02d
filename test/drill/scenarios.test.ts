import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { drill } from '../../src/commands/drill.ts';
import type { Io } from '../../src/commands/io.ts';
import { readConfig, thisMachine } from '../../src/config.ts';
import { loadScenario, scenarioNames } from '../../src/drill/load.ts';
import type { Table } from '../../src/drill/run.ts';
import type { Scenario, World } from '../../src/drill/scenario.ts';
import { runDrill } from '../../src/modes/drill.ts';

const folder = mkdtempSync(join(tmpdir(), 'drill-test-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const scenario = async (name: string): Promise<Scenario> => {
  const found = await loadScenario(name);
  if (!found) throw new Error(`there is no drill ${name}`);
  return found;
};
const agreeing: Table = { authn: 'cli:local', approve: async () => true, answer: async () => 'done' };

async function play(played: Scenario, table = agreeing) {
  const read = readConfig({ TOURNIQUET_DATA_DIR: folder }, thisMachine(), []);
  if (!read.ok) throw new Error('the configuration of the test is wrong');
  return runDrill({
    scenario: played,
    config: read.config,
    table,
    onEntries: () => {},
    said: () => '',
    startedAt: new Date(),
  });
}

/** The scenario, in a world where something else goes wrong too. */
const sabotaged = (given: Scenario, sabotage: (world: World) => void): Scenario => ({
  ...given,
  stage(world, options) {
    const staged = given.stage(world, options);
    sabotage(world);
    return staged;
  },
});
const missed = ({ score }: Awaited<ReturnType<typeof play>>): readonly string[] =>
  score.marks.filter(({ met }) => !met).map(({ title }) => title);

describe('every drill there is', () => {
  it('has a runbook of the same name', () => {
    expect(scenarioNames()).toEqual([
      'leaked-aws-access-key',
      'leaked-deploy-key',
      'leaked-github-token',
      'stolen-aws-role-session',
    ]);
  });

  it.each(scenarioNames())('%s meets every objective when people agree', async (name) => {
    const report = await play(await scenario(name));
    expect(missed(report)).toEqual([]);
    expect(report.incident.state).toBe('closed');
    expect(report.score.of).toBeGreaterThan(5);
  });

  it.each(scenarioNames())('%s is not passed when nobody agrees', async (name) => {
    const report = await play(await scenario(name), { ...agreeing, approve: async () => false });
    expect(missed(report)).toContainEqual(expect.stringMatching(/approved/));
    expect(report.score.met).toBeLessThan(report.score.of);
  });
});

describe('a provider that lies', () => {
  it.each([
    ['leaked-aws-access-key', 'UpdateAccessKey', 'aws'],
    ['leaked-aws-access-key', 'PutUserPolicy', 'aws'],
    ['stolen-aws-role-session', 'PutRolePolicy', 'aws'],
    ['leaked-github-token', 'POST /credentials/revoke', 'github'],
    ['leaked-deploy-key', 'DELETE /repos/{owner}/{repo}/keys/{key_id}', 'github'],
  ] as const)(
    'fails the drill %s where it contains by %s, and the score says which objective',
    async (name, action, provider) => {
      const report = await play(
        sabotaged(await scenario(name), (world) => world[provider].faults.inject(action, 'lie')),
      );
      expect(missed(report)).toContainEqual(expect.stringMatching(/^Contained, and proved/));
      expect(report.incident.runs[0]?.milestones.contained).toBeUndefined();
    },
  );
});

describe('the command', () => {
  const io = (out: string[], ask: Io['ask'] = null): Io => ({
    env: { TOURNIQUET_DATA_DIR: folder },
    out: (line) => out.push(line),
    err: (line) => out.push(line),
    ask,
    colour: false,
    user: 'test',
    stopping: new AbortController().signal,
    now: () => new Date(),
  });

  it('resolves with 1 and names what was missed when a person says no', async () => {
    const out: string[] = [];
    const bundle = join(folder, 'no.tar');
    const asked: string[] = [];
    const no = async (question: string) => {
      asked.push(question);
      return 'n';
    };
    expect(await drill(io(out, no), { name: 'leaked-github-token', yes: false, bundle })).toBe(1);
    expect(asked).toEqual([expect.stringContaining('Approve this plan?')]);
    expect(out).toContain('✗ GitHub no longer accepts the leaked token');
    expect(out.join('\n')).toContain('NOT PASSED');
  });

  it('writes a bundle that the verifier accepts in a process of its own, and not with one byte changed', async () => {
    const out: string[] = [];
    const bundle = join(folder, 'drill.tar');
    expect(await drill(io(out), { name: 'leaked-deploy-key', yes: true, bundle })).toBe(0);
    const verify = (file: string) =>
      spawnSync(
        process.execPath,
        ['src/launch.cjs', 'custody', 'verify', file, '--policy', join(folder, 'drill.policy')],
        { cwd: join(import.meta.dirname, '../..'), encoding: 'utf8', env: { HOME: folder, PATH: process.env.PATH } },
      );
    expect(verify(bundle)).toMatchObject({ status: 0, stdout: expect.stringContaining('SELF-SIGNED') });

    const bytes = readFileSync(bundle);
    const place = bytes.indexOf('"type":"decision"') + '"type":"dec'.length;
    bytes[place] = (bytes[place] ?? 0) ^ 1;
    const changed = join(folder, 'changed.tar');
    writeFileSync(changed, bytes);
    expect(verify(changed)).toMatchObject({ status: 1 });
  });

  it('refuses a drill that there is not, naming those there are', async () => {
    await expect(drill(io([]), { name: 'nothing', yes: true, bundle: undefined })).rejects.toThrow(
      /There are:\n {2}leaked-aws-access-key/,
    );
  });
});
