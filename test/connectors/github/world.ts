import { createAdaptorServer } from '@hono/node-server';
import { github } from '../../../connectors/github/index.ts';
import { createGithubSimulator, type GithubSimulator } from '../../../connectors/github/simulator.ts';
import { Failure } from '../../../src/core/failure.ts';
import { Faults } from '../../../src/core/simulator.ts';
import { type Exchange, githubConformance } from '../../conformance/github.ts';
import type { TestWorld } from '../../connector.suite.ts';

export interface GithubTestWorld extends TestWorld {
  readonly simulator: GithubSimulator;
  readonly apiUrl: string;
  /** Everything that went through the simulator's door. `close` throws when GitHub's description does not allow it. */
  readonly exchanges: readonly Exchange[];
  /** Moves the clock of connector and simulator. */
  readonly advance: (ms: number) => void;
  /** Seals a secret, as the store would. */
  readonly seal: (secret: string) => `sealed:${string}`;
}

export const START = new Date('2026-11-20T12:00:00.250Z');

/** The connector, pointed over real HTTP at a simulated GitHub. `env` replaces settings. */
export async function openGithub(
  options: {
    readonly propagationMs?: number;
    readonly env?: (given: ReturnType<GithubSimulator['env']>) => object;
  } = {},
): Promise<GithubTestWorld> {
  let at = START.getTime();
  const now = () => new Date(at);
  const faults = new Faults();
  const simulator = createGithubSimulator({ now, seed: 7, propagationMs: options.propagationMs ?? 0, faults });
  const exchanges: Exchange[] = [];
  const faulty = watch(faults);
  const server = createAdaptorServer({
    fetch: async (request) => {
      const copy = request.clone();
      const hurt = faulty();
      const response = await simulator.fetch(request);
      exchanges.push(await recorded(copy, hurt() ? null : response.clone()));
      return response;
    },
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  const apiUrl = `http://127.0.0.1:${address.port}`;
  const given = simulator.env(apiUrl);
  const env = { ...given, ...options.env?.(given) };
  const sealed = new Map<string, string>();
  const guard = (url: URL) => {
    if (url.hostname !== '127.0.0.1') throw new Failure('denied', `A test may not talk to ${url.hostname}.`);
  };
  return {
    simulator,
    apiUrl,
    exchanges,
    faults,
    now,
    connector: github.connector.open(env, { now, guard }),
    advance: (ms) => {
      at += ms;
    },
    seal: (secret) => {
      const ref = `sealed:${sealed.size + 1}` as const;
      sealed.set(ref, secret);
      return ref;
    },
    secret: async (ref) => {
      const secret = sealed.get(ref);
      if (secret === undefined) throw new Failure('missing', 'The secret was destroyed.');
      return secret;
    },
    secrets: () => [...simulator.world.state.tokens.keys(), ...sealed.values()],
    close: async () => {
      if ('closeAllConnections' in server) server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      const { problems } = await githubConformance();
      const found = new Set(exchanges.flatMap(problems));
      if (found.size > 0) throw new Error(`GitHub's own description does not allow this:\n${[...found].join('\n')}`);
    },
  };
}

/** Tells of each request whether a fault was taken while it ran: such an answer is wrong on purpose. */
function watch(faults: Faults): () => () => boolean {
  let taken = 0;
  const take = faults.take.bind(faults);
  faults.take = (action) => {
    const fault = take(action);
    if (fault !== undefined) taken += 1;
    return fault;
  };
  return () => {
    const before = taken;
    return () => taken > before;
  };
}

async function recorded(request: Request, response: Response | null): Promise<Exchange> {
  const { pathname, search } = new URL(request.url);
  const parsed = (text: string): unknown => (text === '' ? undefined : JSON.parse(text));
  return {
    method: request.method,
    path: pathname,
    query: search.slice(1),
    headers: Object.fromEntries(request.headers),
    body: parsed(await request.text()),
    answer: response === null ? null : { status: response.status, body: parsed(await response.text()) },
  };
}
