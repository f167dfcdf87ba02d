import { flood } from './flood.ts';

// npm run test:flood [alerts]: the whole flood, with its figures; exits 1 when one of them is not what was promised.
const alerts = Number(process.argv[2] ?? 100_000);
const result = await flood(alerts);
process.stdout.write(`${JSON.stringify({ alerts, ...result }, null, 2)}\n`);
const failures = [
  ...(result.slower <= 2 ? [] : [`a critical alert took ${result.slower} times as long as on an idle machine`]),
  ...(result.lost === 0 ? [] : [`${result.lost} accepted alerts were lost`]),
  ...(result.refused === 0 ? [] : [`${result.refused} alerts were refused`]),
  ...(result.grown <= 1.15 ? [] : [`memory grew by a factor of ${result.grown} in the last third`]),
];
for (const failure of failures) process.stderr.write(`✗ ${failure}\n`);
process.exitCode = failures.length > 0 ? 1 : 0;
