import { z } from 'zod';
import {
  type Clue,
  type Ctx,
  credentialKind,
  defineConnector,
  Failure,
  type Identified,
  type Liveness,
  operations,
} from '#tourniquet';

/** Keys of a vendor over HTTP: `GET /keys/ID` gives `{ status }` or 404, `PUT /keys/ID` sets it. */
class Vendor {
  readonly #url: string;
  constructor(url: string) {
    this.#url = url;
  }
  async read(id: string): Promise<'on' | 'off' | null> {
    const response = await fetch(`${this.#url}/keys/${id}`);
    if (response.status === 404) return null;
    const { status } = z.object({ status: z.enum(['on', 'off']) }).parse(await response.json());
    return status;
  }
  async write(id: string, status: 'on' | 'off'): Promise<void> {
    const response = await fetch(`${this.#url}/keys/${id}`, { method: 'PUT', body: JSON.stringify({ status }) });
    if (!response.ok) throw new Failure('unavailable', `The vendor answered ${response.status}.`);
    await response.arrayBuffer();
  }
}

export const vendorKey = credentialKind('vendor.key', 'Vendor key', z.object({ account: z.string() }));
const id = z.object({ id: z.string() });
const operation = operations<Vendor>();
const meta = { permissions: [], docs: 'https://example.com', bucket: 'api' };

export const vendor = defineConnector({
  name: 'vendor',
  title: 'Vendor',
  settings: z.object({ VENDOR_URL: z.string().describe('Where the vendor listens') }),
  configured: (env) => env.VENDOR_URL !== undefined,
  connect: (settings: { readonly VENDOR_URL: string }) => new Vendor(settings.VENDOR_URL),
  buckets: {},
  doctor: async () => [],
  identify: {
    [vendorKey.kind]: async ({ client }: Ctx<Vendor>, { id: key = '' }: Clue): Promise<Identified> => {
      if ((await client.read(key)) === null) return { is: 'not-ours', because: 'the vendor knows no such key' };
      return { is: 'credential', credential: { kind: vendorKey.kind, id: key, where: { account: 'acme' } } };
    },
  },
  operations: {
    alive: operation.observe({
      ...meta,
      title: 'Ask whether a key works',
      input: id,
      run: async ({ client }, { id: key }): Promise<Liveness> =>
        (await client.read(key)) === 'on'
          ? { state: 'live', because: 'it is on' }
          : { state: 'dead', because: 'it is off' },
    }),
    disable: operation.reversible({
      ...meta,
      title: 'Disable a key',
      input: id,
      before: async ({ client }, { id: key }) => ({ status: (await client.read(key)) ?? 'off' }),
      run: async ({ client }, { id: key }) => {
        await client.write(key, 'off');
        return null;
      },
      probe: async ({ client }, { id: key }) =>
        (await client.read(key)) === 'on' ? { state: 'not-done' } : { state: 'done', out: null },
      undo: async ({ client }, { id: key }, { status }) => client.write(key, status),
    }),
  },
});
