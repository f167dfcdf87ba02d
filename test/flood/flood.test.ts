import { expect, it } from 'vitest';
import { flood } from './flood.ts';

it('contains a critical key under a flood as fast as on an idle machine, within a factor of two, and loses nothing', {
  timeout: 120_000,
}, async () => {
  const result = await flood(2_000);
  expect(result).toMatchObject({ accepted: 2_000, refused: 0, lost: 0 });
  expect(result.slower).toBeLessThanOrEqual(2);
  expect(result.grown).toBeLessThanOrEqual(1.35); // a short run: the collector has hardly begun to tidy up
});
