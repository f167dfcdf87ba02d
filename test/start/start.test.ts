import { expect, it } from 'vitest';
import { sandboxStory } from './sandbox.ts';

it('npm start contains, rotates, retires and proves a sample leak, with one click on the page as the only help', {
  timeout: 120_000,
}, async () => {
  const { terminal, page } = await sandboxStory('node'); // whatever Node the machine has
  expect(terminal).toMatch(/Contained: (\d+) of \1 steps done/);
  expect(terminal).toMatch(/you approved rotation and retirement/);
  expect(terminal).toMatch(/Retired: (\d+) of \1 steps done/);
  expect(page).toMatch(/Retired: contained, replaced and dead for good/);
  expect(terminal).not.toMatch(/rror/);
});
