import { z } from 'zod';
import { confirm, defineRunbook, step } from '#tourniquet';
import { bench, benchKey } from '../connectors/bench.ts';

/** What containment is at least: evidence first, then one change, then the proof that it worked. */
export const leakedBenchKey = defineRunbook(benchKey, {
  name: 'leaked-bench-key',
  title: 'A key of the benchmark leaked',
  params: z.object({}),
  assess: (key) => ({
    lastUsed: step('Record when it was last used', bench.lastUsed, key),
    permissions: step('Read what it may do', bench.permissions, key),
  }),
  contain: (key) => ({
    disable: step('Disable the key', bench.disable, key),
    dead: confirm('The key no longer works', bench.liveness, key, { expect: 'dead', within: '5m', settle: '0s' }),
  }),
  rotate: () => ({}),
  retire: () => ({}),
});
