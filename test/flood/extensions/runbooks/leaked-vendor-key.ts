import { z } from 'zod';
import { confirm, defineRunbook, step } from '#tourniquet';
import { vendor, vendorKey } from '../connectors/vendor/index.ts';

export default defineRunbook(vendorKey, {
  name: 'leaked-vendor-key',
  title: 'A vendor key is outside our control',
  params: z.object({}),
  assess: ({ id }) => ({ alive: step('Ask whether it works', vendor.alive, { id }) }),
  contain: ({ id }) => ({
    disable: step('Disable the key', vendor.disable, { id }),
    dead: confirm('The key no longer works', vendor.alive, { id }, { expect: 'dead', within: '1m', settle: '0s' }),
  }),
  rotate: () => ({}),
  retire: () => ({}),
});
