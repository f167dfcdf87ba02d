import { describe, expect, it } from 'vitest';
import { type Machine, problemText, readConfig } from '../src/config.ts';
import type { Env } from '../src/core/connector.ts';
import { formatSkey } from '../src/custody/note.ts';

const PASSWORD = ['hunter', '2-in-a-test'].join('');
const LOG_KEY = formatSkey('example.org/log', new Uint8Array(32).fill(5));
const machine: Machine = {
  hostname: 'box',
  list: () => [],
  read(path) {
    if (path === 'people.json') return JSON.stringify([{ id: 'ana', name: 'Ana', roles: ['lead'], cli: 'ana' }]);
    if (path === '/run/log.key') return `${LOG_KEY}\n`;
    throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
  },
};
const live = { TOURNIQUET_PEOPLE: 'people.json' };
const keys = { TOURNIQUET_MASTER_KEY: Buffer.alloc(32, 1).toString('base64'), TOURNIQUET_LOG_KEY: LOG_KEY };
const url = `postgres://tourniquet:${PASSWORD}@db.example:5432/tourniquet`;
const read = (env: Env) => readConfig(env, machine, []);
const problems = (env: Env): readonly string[] => {
  const result = read(env);
  return result.ok ? [] : result.problems.map(problemText);
};

describe('a database for several replicas', () => {
  it('is taken with the keys that they share, and the log is named by its key', () => {
    const result = read({ ...live, ...keys, DATABASE_URL: url });
    expect(result).toMatchObject({ ok: true, config: { databaseUrl: url, origin: 'example.org/log' } });
    expect(read({ ...live, ...keys, TOURNIQUET_LOG_KEY: '/run/log.key' })).toMatchObject({
      config: { origin: 'example.org/log' },
    });
  });

  it('is refused without those keys, each named', () => {
    const named = problems({ ...live, DATABASE_URL: url });
    expect(named.map((each) => each.split(':')[0])).toEqual(['TOURNIQUET_MASTER_KEY', 'TOURNIQUET_LOG_KEY']);
    expect(named.join()).toContain('npx tourniquet new-keys');
  });

  it.each([
    ['mysql://db/x', 'not the address of a PostgreSQL'],
    [`not a url ${PASSWORD}`, 'not the address of a PostgreSQL'],
    ['postgres://db.example', 'no host or no database'],
  ])('is refused as %s, without quoting it', (text, words) => {
    const [problem = ''] = problems({ ...live, ...keys, DATABASE_URL: text });
    expect(problem).toContain(words);
    expect(problem).not.toContain(PASSWORD);
  });

  it('asks for nothing by itself, because other programs read that variable too', () => {
    const result = read({ DATABASE_URL: url });
    expect(result).toMatchObject({ ok: true, config: { mode: 'sandbox' } });
    expect(result.ok && result.config.databaseUrl).toBe(undefined);
  });

  it("is refused with another log's name, or a log key that is none", () => {
    expect(problems({ ...live, ...keys, TOURNIQUET_ORIGIN: 'another' })[0]).toContain('belongs to, example.org/log');
    expect(problems({ ...live, TOURNIQUET_LOG_KEY: `PRIVATE+KEY+x+y+${PASSWORD}` })[0]).toContain('cannot be used');
    expect(problems({ ...live, TOURNIQUET_LOG_KEY: '/nowhere' })[0]).toContain('cannot be read');
  });

  it('never shows in the fingerprint that the ledger keeps', () => {
    const one = read({ ...live, ...keys, DATABASE_URL: url });
    const two = read({ ...live, ...keys, DATABASE_URL: url.replace(PASSWORD, 'other') });
    expect(one.ok && two.ok && one.config.sha256 === two.config.sha256).toBe(true);
  });
});
