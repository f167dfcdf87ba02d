import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Said } from '../decisions/desk.ts';
import { loadScenario, scenarioNames } from '../drill/load.ts';
import type { Table } from '../drill/run.ts';
import type { Scenario } from '../drill/scenario.ts';
import type { RunView } from '../incident/view.ts';
import { planWords } from '../incident/words/plan.ts';
import { elapsed } from '../incident/words/text.ts';
import { type DrillReport, runDrill } from '../modes/drill.ts';
import { createStory } from '../story.ts';
import { type Context, readContext } from './context.ts';
import { CommandError, type Io } from './io.ts';

export interface DrillArguments {
  readonly name: string | undefined;
  readonly yes: boolean;
  readonly bundle: string | undefined;
}

/** Runs a drill at the terminal. Resolves with the exit status: 0 only where every objective was met. */
export async function drill(io: Io, { name, yes, bundle }: DrillArguments): Promise<0 | 1> {
  const scenario = await scenarioCalled(name);
  const context = await readContext(drillIo(io));
  if (!yes && !io.ask)
    throw new CommandError('Nobody is here to approve: add --yes to approve everything in the drill.', 2);
  const said: string[] = [];
  const say = (line: string): void => {
    said.push(line);
    io.out(line);
  };
  const startedAt = io.now();
  say(`Drill: ${scenario.title}`);
  say(scenario.brief);
  say('Simulated providers, the same code as in earnest, on a clock that skips every wait.');
  say('');
  const story = createStory({ colour: io.colour });
  const report = await runDrill({
    scenario,
    config: context.config,
    table: yes ? agreeing(say) : asking(io, say),
    onEntries: (entries) => story.tell(entries).forEach(say),
    said: () => said.join('\n'),
    startedAt,
  });
  const file = resolve(bundle ?? `drill-${scenario.name}.tar`);
  const policyFile = `${file.replace(/\.tar$/, '')}.policy`;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, report.bundle);
  writeFileSync(policyFile, report.policy);
  for (const line of results(report, file, policyFile, io.now().getTime() - startedAt.getTime())) io.out(line);
  return report.score.met === report.score.of ? 0 : 1;
}

/** What the environment says of real providers is not even read: a drill is configured as a sandbox is. */
function drillIo(io: Io): Io {
  const { TOURNIQUET_DATA_DIR, LOG_LEVEL } = io.env;
  return { ...io, env: { TOURNIQUET_DATA_DIR, LOG_LEVEL } };
}

async function scenarioCalled(name: string | undefined): Promise<Scenario> {
  const scenario = name === undefined ? null : await loadScenario(name);
  if (scenario) return scenario;
  const known = scenarioNames()
    .map((each) => `  ${each}`)
    .join('\n');
  throw new CommandError(
    `${name === undefined ? 'Name a drill' : `There is no drill "${name}"`}. There are:\n${known}`,
    2,
  );
}

const agreeing = (say: (line: string) => void): Table => ({
  authn: 'cli:local',
  async approve(_incident, run) {
    planLinesOf(run).forEach(say);
    say('    Approved, because of --yes.');
    return true;
  },
  answer: async () => 'done, in a drill',
});

const asking = (io: Io, say: (line: string) => void): Table => ({
  authn: 'cli:local',
  async approve(_incident, run) {
    planLinesOf(run).forEach(say);
    return /^y(es)?$/i.test((await io.ask?.('    Approve this plan? [y/N] ')) ?? '');
  },
  answer: async (question) => (await io.ask?.(`${question}\n> `)) || 'nothing was said',
});

function planLinesOf(run: RunView): readonly string[] {
  const { phases } = planWords(run);
  const lines = phases.flatMap(({ heading, steps }) => [
    `    ${heading}`,
    ...steps.map((step) => `      ${step.number}. ${step.title} (${step.nature})`),
  ]);
  return ['', '    The plan:', ...lines];
}

function results(
  { incident, score }: DrillReport,
  file: string,
  policyFile: string,
  tookMs: number,
): readonly string[] {
  const contained = incident.runs[0]?.milestones.contained;
  return [
    '',
    ...score.marks.map(({ title, met }) => `${met ? '✓' : '✗'} ${title}`),
    '',
    `Score: ${score.met} of ${score.of} objectives met${score.met === score.of ? '' : ' — NOT PASSED'}.`,
    ...(contained === undefined
      ? []
      : [
          `Contained, verified, ${elapsed(contained - Date.parse(incident.openedAt))} after the alert, on the drill's clock; the drill took ${elapsed(tookMs)}.`,
        ]),
    `Evidence: ${file}`,
    `Check it: npx tourniquet custody verify ${file} --policy ${policyFile}`,
  ];
}

/** `/tq drill` in Slack: the drill runs in this process, on a world of its own, approving everything; its score is the answer. */
export const startDrill =
  ({ config }: Context) =>
  async ({ scenario: name }: { readonly scenario: string; readonly authn: string }): Promise<Said> => {
    const scenario = await loadScenario(name);
    if (!scenario)
      return {
        ok: false,
        code: 'not-found',
        message: `There is no drill "${name}". There are: ${scenarioNames().join(', ')}.`,
      };
    const { score } = await runDrill({
      scenario,
      config,
      table: agreeing(() => {}),
      onEntries: () => {},
      said: () => '',
      startedAt: new Date(),
    });
    const missed = score.marks.filter((mark) => !mark.met).map((mark) => mark.title);
    const tail = missed.length === 0 ? '' : ` Missed: ${missed.join('; ')}.`;
    return { ok: true, said: `Drill “${scenario.title}”: ${score.met} of ${score.of} objectives met.${tail}` };
  };
