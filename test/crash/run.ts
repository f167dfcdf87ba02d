// `npm run test:crash`: kills a real process at every moment of every runbook, on every store, and compares the endings.
//   --random N     N kills at random moments instead, several in one life
//   --store NAME   sqlite or postgres only     --runbook NAME  one runbook only     --every K  every K-th point only
import { parseArgs } from 'node:util';
import { loadScenario, scenarioNames } from '../../src/drill/load.ts';
import type { Scenario } from '../../src/drill/scenario.ts';
import { Nursery } from './host.ts';
import { type Kill, live } from './life.ts';
import { killPoints, type Outcome, tryAll } from './matrix.ts';
import { openStores, type TestStore } from './stores.ts';

const { values } = parseArgs({
  options: {
    random: { type: 'string' },
    store: { type: 'string' },
    runbook: { type: 'string' },
    every: { type: 'string', default: '1' },
    width: { type: 'string', default: '2' },
  },
});
const width = Number(values.width);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const outcomes: Outcome[] = [];
const nursery = new Nursery();

const words = (kill: Kill): string => {
  switch (kill.at) {
    case 'never':
      return 'no kill';
    case 'transaction':
      return `${kill.moment.when} ${kill.moment.of} transaction ${kill.moment.number}`;
    case 'request':
      return `${kill.when} request ${kill.number}`;
    case 'random':
      return 'random kills';
  }
};

const tell = ({ kill, wrong }: Outcome): void => {
  if (wrong !== undefined) say(`  ✗ ${words(kill)}: ${wrong}`);
};

async function everywhere(scenario: Scenario, store: TestStore): Promise<void> {
  const began = performance.now();
  const place = { nursery, bot: undefined, database: store.database };
  const unharmed = await live(scenario, place, { at: 'never' });
  await unharmed.bot.kill();
  const points = killPoints(unharmed).filter((_kill, index) => index % Number(values.every) === 0);
  const tried = await tryAll(
    { scenario, nursery, database: store.database },
    { kills: points, expected: unharmed.ending, width },
    tell,
  );
  outcomes.push(...tried);
  const { counts, requests } = unharmed;
  const failed = tried.filter(({ wrong }) => wrong !== undefined).length;
  say(
    `${failed === 0 ? '✓' : '✗'} ${scenario.name} on ${store.name}: ${points.length} kill points ` +
      `(${counts.journal} journal writes, ${requests.length} requests, ${counts.lease} lease moves in an unharmed life), ` +
      `${failed} with another ending, ${Math.round((performance.now() - began) / 1_000)} s`,
  );
}

/** At most this many deaths in one life; then it may end. */
const MOST_DEATHS = 4;

async function atRandom(scenarios: readonly Scenario[], store: TestStore, kills: number): Promise<void> {
  let left = kills;
  for (const scenario of scenarios) {
    const share = Math.ceil(left / (scenarios.length - scenarios.indexOf(scenario)));
    const began = performance.now();
    const place = { nursery, bot: undefined, database: store.database };
    const first = await live(scenario, place, { at: 'never' });
    const warm = performance.now();
    const unharmed = await live(scenario, { ...place, bot: first.bot }, { at: 'never' });
    const span = performance.now() - warm;
    await unharmed.bot.kill();
    let done = 0;
    let failed = 0;
    while (done < share) {
      const lives = Array.from({ length: width * 4 }, (): Kill => {
        let deaths = 0;
        const afterMs = (): number | null => {
          deaths += 1;
          return deaths > MOST_DEATHS ? null : Math.random() * span;
        };
        return { at: 'random', afterMs };
      });
      const expected = unharmed.ending;
      const tried = await tryAll(
        { scenario, nursery, database: store.database },
        { kills: lives, expected, width },
        tell,
      );
      outcomes.push(...tried);
      done += tried.reduce((sum, { deaths }) => sum + deaths, 0);
      failed += tried.filter(({ wrong }) => wrong !== undefined).length;
    }
    left -= done;
    say(
      `${failed === 0 ? '✓' : '✗'} ${scenario.name} on ${store.name}: ${done} random kills, ${failed} lives with another ending, ${Math.round((performance.now() - began) / 1_000)} s`,
    );
  }
}

const stores = await openStores(values.store);
try {
  const names = scenarioNames().filter((name) => values.runbook === undefined || name === values.runbook);
  const scenarios = (await Promise.all(names.map(loadScenario))).filter((scenario) => scenario !== null);
  for (const store of stores) {
    if (values.random === undefined) for (const scenario of scenarios) await everywhere(scenario, store);
    else await atRandom(scenarios, store, Number(values.random));
  }
} finally {
  await nursery.close();
  for (const store of stores) await store.close();
}
const failed = outcomes.filter(({ wrong }) => wrong !== undefined).length;
say(`${outcomes.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 && outcomes.length > 0 ? 0 : 1;
