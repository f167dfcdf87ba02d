import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // What needs an AWS that is not ours runs where `npm run e2e` has started one.
    include: process.env.AWS_CONFORMANCE_ENDPOINT ? ['test/**/*.moto.ts'] : ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    maxWorkers: 3, // much of the time is spent waiting for real processes, browsers and databases
  },
});
