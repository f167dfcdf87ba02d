import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  confirm,
  credentialKind,
  defineConnector,
  defineRunbook,
  type Liveness,
  operations,
  out,
  step,
  unavoidable,
} from '#tourniquet';

const key = credentialKind('test.key', 'Test key', z.object({ account: z.string() }));
const op = operations<{ readonly keys: Map<string, string> }>();
const meta = { permissions: ['test:All'], docs: 'https://example.com', bucket: 'all' };
const input = z.object({ id: z.string() });

const vendor = defineConnector({
  name: 'vendor',
  title: 'Vendor',
  settings: z.object({ VENDOR_TOKEN: z.string() }),
  configured: (env) => env['VENDOR_TOKEN'] !== undefined,
  connect: () => ({ keys: new Map() }),
  buckets: { all: { capacity: 1, perSecond: 1 } },
  doctor: async () => [],
  operations: {
    read: op.observe({
      ...meta,
      title: 'Read',
      input,
      run: async ({ client }, { id }) => ({ status: client.keys.get(id) ?? null }),
    }),
    roles: op.observe({ ...meta, title: 'Roles', input, run: async () => ['a', 'b'] }),
    alive: op.observe({
      ...meta,
      title: 'Alive',
      input,
      run: async (): Promise<Liveness> => ({ state: 'dead', because: 'gone' }),
    }),
    disable: op.reversible({
      ...meta,
      title: 'Disable',
      input,
      before: async () => ({ status: 'on' }),
      run: async () => ({ newId: 'k2', version: 3 }),
      probe: async () => ({ state: 'not-done' }),
      undo: async (_ctx, _input, before) => void before.status,
    }),
    remove: op.irreversible({
      ...meta,
      title: 'Remove',
      input,
      before: async () => null,
      run: async () => null,
      probe: async () => ({ state: 'not-done' }),
    }),
  },
});

const leaked = defineRunbook(key, {
  name: 'leaked-test-key',
  title: 'A test key leaked',
  params: z.object({ soak: z.string().default('7d') }),
  assess: ({ id }) => ({ read: step('Read it', vendor.read, { id }), roles: step('Roles', vendor.roles, { id }) }),
  contain: ({ id }, { read, roles }) => ({
    disable: step(`Disable it (${read.status})`, vendor.disable, { id }),
    roles: roles.map((role) => step(`Close ${role}`, vendor.disable, { id: role })),
    burn: unavoidable('there is no disable', step('Burn it', vendor.remove, { id })),
    dead: confirm('It is dead', vendor.alive, { id }, { expect: 'dead', within: '5m', settle: '10s' }),
  }),
  retire: (_key, _facts, _params, { contain }) => ({
    remove: step('Remove what came of it', vendor.remove, { id: out(contain.disable, 'newId') }),
  }),
});

describe('the authoring API', () => {
  it('keeps what a runbook writes as data, in order', () => {
    const credential = { kind: 'test.key', id: 'k1', where: { account: '1' } };
    const { contain } = leaked.respond(credential, { read: { status: 'on' }, roles: ['r1', 'r2'] }, { soak: '1d' });
    expect(Object.keys(contain)).toEqual(['disable', 'roles', 'burn', 'dead']);
    expect(contain['disable']).toMatchObject({ title: 'Disable it (on)', op: 'vendor.disable', input: { id: 'k1' } });
    expect(contain['roles']).toHaveLength(2);
  });

  it('does not compile what must not run', () => {
    const { id } = { id: 'k1' };
    // @ts-expect-error a wrong input
    step('x', vendor.disable, { name: id });
    // @ts-expect-error only liveness can confirm
    confirm('x', vendor.read, { id }, { expect: 'dead', within: '1s', settle: '1s' });
    // @ts-expect-error a field that the step does not give
    out(step('x', vendor.disable, { id }), 'nothing');
    // @ts-expect-error a field of another type
    step('x', vendor.remove, { id: out(step('x', vendor.disable, { id }), 'version') });
    defineRunbook(key, {
      name: 'x',
      title: 'x',
      params: z.object({}),
      // @ts-expect-error assess may only observe
      assess: () => ({ a: step('x', vendor.disable, { id }) }),
      contain: () => ({}),
    });
    defineRunbook(key, {
      name: 'x',
      title: 'x',
      params: z.object({}),
      assess: () => ({}),
      // @ts-expect-error an irreversible step in contain needs `unavoidable`
      contain: () => ({ a: step('x', vendor.remove, { id }) }),
    });
  });
});
