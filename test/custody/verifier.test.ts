import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exportBundle, exportCheckpoint } from '../../src/custody/bundle.ts';
import { formatPolicy } from '../../src/custody/policy.ts';
import { append, openFixture, STORY } from './fixture.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const tool = { name: 'tourniquet', version: '0.1.0', configSha256: '0'.repeat(64) };

/** What a file imports when it runs: types are gone by then. */
function importsOf(file: string): readonly string[] {
  const source = readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const found = source.matchAll(
    /(?:^|\n)(?:import|export)(?! type\b)[^'"\n;]*(?:\{[^}]*\}[^'"\n;]*)?from '([^']+)'|import\(\s*'([^']+)'|(?:^|\n)import '([^']+)'/g,
  );
  return [...found].map(([, a, b, c]) => a ?? b ?? c ?? '');
}

/** Everything that is loaded with `file`: our files, and packages by name. */
function closure(file: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(file)) return seen;
  seen.add(file);
  for (const specifier of importsOf(file)) {
    if (specifier.startsWith('.')) closure(relative(ROOT, resolve(ROOT, dirname(file), specifier)), seen);
    else seen.add(specifier);
  }
  return seen;
}

describe('the verifier', () => {
  const all = [...closure('src/verify.ts')];

  it('loads nothing that could reach a network, a database or the rest of the program', () => {
    expect(all.filter((each) => !/^src\/(custody|core)\/[a-z-]+\.ts$|^src\/verify\.ts$/.test(each)).toSorted()).toEqual(
      ['asn1js', 'canonicalize', 'node:buffer', 'node:crypto', 'node:fs', 'node:util', 'pkijs', 'zod'],
    );
    const ours = all.filter((each) => each.startsWith('src/core/'));
    expect(ours.toSorted()).toEqual(['src/core/duration.ts', 'src/core/plan.ts']);
    for (const never of ['ledger', 'bundle', 'state', 'row', 'signer', 'tree-store', 'log-routes']) {
      expect(all).not.toContain(`src/custody/${never}.ts`);
    }
    expect(all).toContain('src/custody/rules.ts');
  });

  it('reads no file but those that it is given: only its entry can', () => {
    const readers = all.filter((each) => each.startsWith('src/') && importsOf(each).includes('node:fs'));
    expect(readers).toEqual(['src/verify.ts']);
    for (const file of all.filter((each) => each.startsWith('src/'))) {
      expect(readFileSync(join(ROOT, file), 'utf8'), file).not.toMatch(/\bfetch\(|process\.env/);
    }
  });
});

describe('tourniquet-verify', () => {
  const dir = mkdtempSync(join(tmpdir(), 'verify-'));
  const file = (name: string): string => join(dir, name);
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(ROOT, 'src/verify.cjs'), ...args], {
      encoding: 'utf8',
      env: {},
    });
    return { status, stdout, stderr };
  };

  beforeAll(async () => {
    const { store, signer, clock, ...rest } = await openFixture();
    await append({ clock, ...rest }, STORY);
    const bundle = await exportBundle({ store, signer, tool, now: clock.now() });
    writeFileSync(file('ok.tar'), bundle);
    writeFileSync(file('bad.tar'), bundle.fill(0x20, 5_000, 5_010));
    writeFileSync(file('policy'), formatPolicy(signer.vkey));
    writeFileSync(file('seen.note'), await exportCheckpoint(store, signer.vkey));
    writeFileSync(file('ok.tar'), await exportBundle({ store, signer, tool, now: clock.now() }));
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  it('exits with 0 for a good bundle, and says what is proven', () => {
    const { status, stdout } = run(file('ok.tar'), '--policy', file('policy'), '--seen', file('seen.note'));
    expect({ status, stdout }).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('VERIFIED, level SELF-SIGNED'),
    });
  });

  it('exits with 1 for a bad one, and reports as JSON', () => {
    const { status, stdout } = run(file('bad.tar'), '--policy', file('policy'), '--json');
    expect(status).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ ok: false, level: 'NONE' });
  });

  it.each([
    ['no policy', () => [file('ok.tar')]],
    ['a file that is not there', () => [file('none.tar'), '--policy', file('policy')]],
    ['an option that it does not know', () => [file('ok.tar'), '--policy', file('policy'), '--trust-me']],
    ['a policy that is none', () => [file('ok.tar'), '--policy', file('seen.note')]],
  ])('exits with 2 for %s', (_what, args) => {
    expect(run(...args()).status).toBe(2);
  });
});
