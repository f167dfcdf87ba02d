import { describe, expect, it } from 'vitest';
import { emptyInventory, parseInventory } from '../src/inventory.ts';

const key = {
  kind: 'aws.access-key',
  id: 'key-1',
  where: { account: '111122223333', user: 'deploy', tags: { team: 'web', tier: 1 }, regions: ['a', 'b'] },
};
const holdingWith = (...entries: unknown[]) => parseInventory(JSON.stringify(entries)).holdingOf(key);
const matching = (match: object) => holdingWith({ match, owner: 'found' }).owner === 'found';

describe('the inventory', () => {
  it('gives what it knows of a credential, and what its runbook needs', () => {
    const sink = { kind: 'aws.secrets-manager', name: 'prod/deploy' };
    const entry = {
      owner: 'web',
      environment: 'production',
      protected: 'break-glass',
      honeytoken: true,
      consumers: ['the deploy job'],
      params: { sink, soak: '2d' },
    };
    expect(holdingWith({ match: { kind: 'aws.access-key', id: 'key-1' }, ...entry })).toEqual(entry);
  });

  it('knows nothing of a credential that no entry matches', () => {
    const nothing = { consumers: [], params: {} };
    expect(holdingWith({ match: { kind: 'github.pat' }, owner: 'web' })).toEqual(nothing);
    expect(emptyInventory.holdingOf(key)).toEqual(nothing);
  });

  it('takes the first entry that matches, whole', () => {
    const held = holdingWith(
      { match: { kind: 'aws.access-key', id: 'key-1' }, owner: 'first' },
      { match: { kind: 'aws.access-key' }, owner: 'second', environment: 'production' },
    );
    expect(held).toEqual({ owner: 'first', consumers: [], params: {} });
  });

  it.each([
    ['the kind', { kind: 'aws.access-key' }, true],
    ['another kind', { kind: 'aws.role' }, false],
    ['another id', { kind: 'aws.access-key', id: 'key-2' }, false],
    ['part of where', { kind: 'aws.access-key', where: { account: '111122223333' } }, true],
    ['a wrong part of where', { kind: 'aws.access-key', where: { account: '1' } }, false],
    ['a part that is not there', { kind: 'aws.access-key', where: { region: 'a' } }, false],
    ['a part of a part', { kind: 'aws.access-key', where: { tags: { team: 'web' } } }, true],
    ['a number for a text', { kind: 'aws.access-key', where: { tags: { tier: '1' } } }, false],
    ['an equal list', { kind: 'aws.access-key', where: { regions: ['a', 'b'] } }, true],
    ['a shorter list', { kind: 'aws.access-key', where: { regions: ['a'] } }, false],
    ['a part of what is no object', { kind: 'aws.access-key', where: { account: { x: 1 } } }, false],
    ['an empty object for a list', { kind: 'aws.access-key', where: { regions: {} } }, false],
  ])('matches by %s: %o → %s', (_title, match, expected) => {
    expect(matching(match)).toBe(expected);
  });

  it('is refused with every problem and its place', () => {
    const text = JSON.stringify([
      { match: { kind: 'a' }, protectd: 'x' },
      { match: {}, honeytoken: false },
    ]);
    expect(() => parseInventory(text, 'inventory.json')).toThrow(
      /inventory\.json:1:2: \[0\]: .*protectd[\s\S]*inventory\.json:1:\d+: \[1\]\.match\.kind: [\s\S]*\[1\]\.honeytoken: /,
    );
    expect(() => parseInventory('[', 'inventory.json')).toThrow(/^inventory\.json:1:2: this is not JSON/);
  });
});
