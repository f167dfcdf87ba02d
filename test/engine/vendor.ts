import { z } from 'zod';
import {
  confirm,
  credentialKind,
  defineConnector,
  defineRunbook,
  Failure,
  type FailureCode,
  type Liveness,
  operations,
  otherwise,
  out,
  step,
  wait,
} from '#tourniquet';

/** A provider in memory, whose every effect is counted: for tests of the engine alone. */
export class Vendor {
  readonly keys = new Map<string, 'on' | 'off'>([['k1', 'on']]);
  readonly effects: string[] = [];
  readonly calls: string[] = [];
  /** What the next call of an operation does instead: fail before its effect, or after it. */
  readonly trouble: { op: string; code: FailureCode; applied: boolean }[] = [];
  /** Called before every provider call, and between an effect and its answer. */
  hook: (where: string) => void = () => {};

  #enter(op: string, effect?: () => void): void {
    this.hook(`before ${op}`);
    this.calls.push(op);
    const index = this.trouble.findIndex((each) => each.op === op);
    const [trouble] = index < 0 ? [] : this.trouble.splice(index, 1);
    if (trouble && !trouble.applied) throw new Failure(trouble.code, `${op} failed`);
    if (effect) {
      effect();
      this.effects.push(op);
    }
    this.hook(`after ${op}`);
    if (trouble) throw new Failure(trouble.code, `${op} was applied and its answer lost`);
  }

  read(op: string): void {
    this.#enter(op);
  }
  change(op: string, effect: () => void): void {
    this.#enter(op, effect);
  }
}

const key = credentialKind('vendor.key', 'Vendor key', z.object({ account: z.string() }));
const id = z.object({ id: z.string() });
const op = operations<Vendor>();
const meta = { permissions: [], docs: 'https://example.com', bucket: 'all' };

export const vendorConnector = (vendor: Vendor) =>
  defineConnector({
    name: 'vendor',
    title: 'Vendor',
    settings: z.object({}),
    configured: () => true,
    connect: () => vendor,
    buckets: {},
    doctor: async () => [],
    identify: {
      'vendor.key': async ({ client }, clue) => {
        client.read('identify');
        if (!clue.id || !client.keys.has(clue.id)) return { is: 'not-ours', because: 'no such key' };
        return { is: 'credential', credential: { kind: 'vendor.key', id: clue.id, where: { account: 'acme' } } };
      },
    },
    operations: {
      lastUsed: op.observe({
        ...meta,
        title: 'Last use',
        input: id,
        run: async ({ client }) => {
          client.read('lastUsed');
          return { at: 'yesterday' };
        },
      }),
      extras: op.observe({
        ...meta,
        title: 'Extras',
        input: id,
        run: async ({ client }) => {
          client.read('extras');
          return ['x'];
        },
      }),
      alive: op.observe({
        ...meta,
        title: 'Alive?',
        input: id,
        run: async ({ client }, { id }): Promise<Liveness> => {
          client.read('alive');
          return client.keys.get(id) === 'on'
            ? { state: 'live', because: 'it is on' }
            : { state: 'dead', because: 'it is not on' };
        },
      }),
      disable: op.reversible({
        ...meta,
        title: 'Disable',
        input: id,
        before: async ({ client }, { id }) => {
          client.read('disable.before');
          return { status: client.keys.get(id) ?? 'off' };
        },
        run: async ({ client }, { id }) => {
          client.change('disable', () => client.keys.set(id, 'off'));
          return null;
        },
        probe: async ({ client }, { id }) => {
          client.read('disable.probe');
          return client.keys.get(id) === 'on' ? { state: 'not-done' } : { state: 'done', out: null };
        },
        undo: async ({ client }, { id }, { status }) =>
          client.change('disable.undo', () => client.keys.set(id, status)),
      }),
      issue: op.reversible({
        ...meta,
        title: 'Issue',
        input: id,
        before: async ({ client }) => ({ keys: [...client.keys.keys()] }),
        run: async ({ client, approval }) => {
          if (!approval) throw new Failure('denied', 'needs an approval');
          client.change('issue', () => client.keys.set('k2', 'on'));
          return { keyId: 'k2' };
        },
        probe: async ({ client }) =>
          client.keys.has('k2') ? { state: 'done', out: { keyId: 'k2' } } : { state: 'not-done' },
        undo: async ({ client }) => client.change('issue.undo', () => client.keys.delete('k2')),
      }),
      remove: op.irreversible({
        ...meta,
        title: 'Remove',
        input: id,
        before: async () => null,
        run: async ({ client }, { id }) => {
          client.change('remove', () => client.keys.delete(id));
          return null;
        },
        probe: async ({ client }, { id }) =>
          client.keys.has(id) ? { state: 'not-done' } : { state: 'done', out: null },
      }),
    },
  });

export const leakedVendorKey = (connector: ReturnType<typeof vendorConnector>) =>
  defineRunbook(key, {
    name: 'leaked-vendor-key',
    title: 'A vendor key is outside our control',
    params: z.object({}),
    assess: ({ id }) => ({
      lastUsed: step('Record its last use', connector.lastUsed, { id }),
      extras: otherwise(step('Find what else', connector.extras, { id }), []),
    }),
    contain: ({ id }) => ({
      disable: step('Disable the key', connector.disable, { id }),
      dead: confirm('The key no longer works', connector.alive, { id }, { expect: 'dead', within: '5m', settle: '5s' }),
    }),
    rotate: ({ id }) => {
      const issue = step('Issue a new key', connector.issue, { id });
      const live = confirm(
        'The new key works',
        connector.alive,
        { id: out(issue, 'keyId') },
        { expect: 'live', within: '1m', settle: '0s' },
      );
      return { issue, live };
    },
    retire: ({ id }) => ({
      soak: wait('Let its users move', '7d'),
      remove: step('Delete the key', connector.remove, { id }),
      gone: confirm('It is gone', connector.alive, { id }, { expect: 'dead', within: '1m', settle: '0s' }),
    }),
  });
