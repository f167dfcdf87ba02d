import { Agent, request } from 'node:http';
import { z } from 'zod';
import {
  type Clue,
  type Ctx,
  credentialKind,
  defineConnector,
  Failure,
  type Identified,
  type Json,
  type Liveness,
  operations,
} from '#tourniquet';

/**
 * A provider as thin as can be, so that what is measured is Tourniquet: plain HTTP on connections that are kept, no signatures, no
 * XML, and no rate budget, which would be measured in its place.
 */
class Client {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 256 });

  constructor(url: string) {
    this.#url = url;
  }

  ask(method: 'GET' | 'POST', path: string, signal: AbortSignal): Promise<Json> {
    return new Promise((resolve, reject) => {
      const asked = request(`${this.#url}${path}`, { method, agent: this.#agent, signal }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve(JSON.parse(text)));
      });
      asked.on('error', () => reject(new Failure('unavailable', 'The provider of the benchmark did not answer.')));
      asked.end();
    });
  }
}

const key = z.object({ id: z.string(), where: z.object({ account: z.string() }) });
const state = z.object({ id: z.string(), active: z.boolean() });
const op = operations<Client>();
const meta = { permissions: [], docs: 'https://example.com/', input: key };

export const benchKey = credentialKind('bench.key', 'Key of the benchmark', z.object({ account: z.string() }));

const stateOf = async ({ client, signal }: Ctx<Client>, id: string) =>
  state.parse(await client.ask('GET', `/keys/${id}`, signal));

export const bench = defineConnector({
  name: 'bench',
  title: 'Benchmark',
  settings: z.object({ BENCH_PROVIDER_URL: z.url().describe('Where the provider of the benchmark is') }),
  configured: (env) => env.BENCH_PROVIDER_URL !== undefined,
  connect: ({ BENCH_PROVIDER_URL }): Client => new Client(BENCH_PROVIDER_URL),
  buckets: { all: { capacity: 1_000_000, perSecond: 1_000_000 } },
  identify: {
    'bench.key': identify,
  },
  doctor: async () => [],
  operations: {
    lastUsed: op.observe({
      ...meta,
      title: 'Record its last use',
      bucket: 'all',
      run: ({ client, signal }, { id }) => client.ask('GET', `/keys/${id}/last-used`, signal),
    }),
    permissions: op.observe({
      ...meta,
      title: 'Read what it may do',
      bucket: 'all',
      run: ({ client, signal }, { id }) => client.ask('GET', `/keys/${id}/permissions`, signal),
    }),
    disable: op.reversible({
      ...meta,
      title: 'Disable it',
      bucket: 'all',
      before: stateOfInput,
      run: async ({ client, signal }, { id }) => {
        await client.ask('POST', `/keys/${id}/disable`, signal);
        return null;
      },
      probe: async (ctx, { id }) =>
        (await stateOf(ctx, id)).active ? { state: 'not-done' } : { state: 'done', out: null },
      undo: async ({ client, signal }, { id }) => {
        await client.ask('POST', `/keys/${id}/enable`, signal);
      },
    }),
    liveness: op.observe({
      ...meta,
      title: 'Ask whether it works',
      bucket: 'all',
      run: async ({ client, signal }, { id }): Promise<Liveness> => {
        const { active } = state.parse(await client.ask('GET', `/keys/${id}/use`, signal));
        return { state: active ? 'live' : 'dead', because: 'the provider said so' };
      },
    }),
  },
});

async function identify(ctx: Ctx<Client>, { id = '' }: Clue): Promise<Identified> {
  await stateOf(ctx, id);
  return { is: 'credential', credential: { kind: 'bench.key', id, where: { account: '1' } }, validity: 'active' };
}

function stateOfInput(ctx: Ctx<Client>, { id }: { readonly id: string }) {
  return stateOf(ctx, id);
}
