import type { IncidentView, RunView } from '../incident/view.ts';
import { planWords } from '../incident/words/plan.ts';
import { standingWords } from '../incident/words/standing.ts';
import { exposureWords, phasesInWords } from '../incident/words/terms.ts';
import { elapsed, stamp } from '../incident/words/text.ts';
import { buttonsOf } from './buttons.ts';
import {
  type Block,
  bold,
  clip,
  code,
  escaped,
  LIMITS,
  type Line,
  link,
  type Message,
  paragraph,
  plain,
  shown,
} from './text.ts';

/** Four blocks for each, and four around them: well within the 50 that Slack takes. */
const RUNS_SHOWN = 8;
const LOCATIONS_SHOWN = 5;

/** Where a person reads what a card has no room for; undefined where no console is served. */
export type PageOf = (ref: string) => string | undefined;

/** The one card of an incident: how it stands, what leaked and where, what will be done, who must say yes. Pure. */
export function card(view: IncidentView, pageOf: PageOf = () => undefined): Message {
  const more = (what: string): Line => {
    const page = pageOf(view.ref);
    return page ? [bold(`${what} Read them at `), link(page)] : [bold(`${what} Read them in the console.`)];
  };
  const runs = view.runs.slice(0, RUNS_SHOWN);
  const left = view.runs.length - runs.length;
  const state =
    view.runs.length === 0 ? ['Nothing is being done about it; people are only told'] : view.runs.map(standingWords);
  return {
    text: clip(
      escaped(`${view.ref} ${view.severity}: ${view.title}. ${[...new Set(state)].join('. ')}.`),
      LIMITS.notification,
    ),
    blocks: [
      {
        type: 'header',
        text: {
          type: 'plain_text',
          text: clip(`${view.ref} · ${view.severity.toUpperCase()} · ${shown(view.title)}`, LIMITS.header),
          emoji: false,
        },
      },
      paragraph(
        [...new Set(state)].slice(0, RUNS_SHOWN).map((words) => [bold(words)]),
        () => [],
      ),
      paragraph(leakLines(view), (count) => more(`${count} more lines are not shown here.`)),
      ...runs.flatMap((run) =>
        runBlocks(run, runs.length > 1, (count) => more(`${count} more lines of this plan are NOT shown here.`)),
      ),
      ...(left > 0
        ? [paragraph([more(`${left} more credentials of this incident are not shown here.`)], () => [])]
        : []),
      footer(view),
    ],
  };
}

function leakLines({ findings, title }: IncidentView): Line[] {
  const [first] = findings;
  if (!first) return [[bold('Reported: '), plain(title)]];
  const locations = findings.flatMap((finding) => finding.locations);
  const others = locations.length - LOCATIONS_SHOWN;
  const exposed = first.exposedAt ? [[bold('Exposed since: '), plain(stamp(Date.parse(first.exposedAt)))]] : [];
  return [
    [bold('Reported: '), plain(first.title), plain(` by ${first.source} at ${stamp(Date.parse(first.detectedAt))}`)],
    [bold('Exposure: '), plain(exposureWords(first.exposure))],
    ...exposed,
    ...locations
      .slice(0, LOCATIONS_SHOWN)
      .map(({ label, url }): Line => [bold('Where: '), plain(label), ...(url ? [plain(' '), link(url)] : [])]),
    ...(others > 0 ? [[plain(`… and ${others} more places`)]] : []),
    ...(findings.length > 1 ? [[plain(`${findings.length} alerts say so`)]] : []),
  ];
}

function runBlocks(run: RunView, several: boolean, more: (left: number) => Line): Block[] {
  const { credential, requestedBy } = run.state.opened;
  const buttons = buttonsOf(run);
  const head: Line[] = [
    ...(several ? [[bold(standingWords(run))]] : []),
    [
      plain(`${credential.kind} `),
      code(credential.id),
      ...(requestedBy ? [plain(` · asked for by ${requestedBy}`)] : []),
    ],
    ...waitLines(run),
  ];
  return [
    { type: 'divider' },
    paragraph(head, more),
    ...(run.state.response ? [paragraph(planLines(run), more)] : []),
    ...(buttons.length > 0 ? [{ type: 'actions' as const, elements: buttons }] : []),
  ];
}

/** What the person who is waited for needs to know. */
function waitLines({ action, phases }: RunView): Line[] {
  if (action.do !== 'await') return [];
  const steps = phases.flatMap((each) => each.steps);
  switch (action.what.need) {
    case 'approval': {
      const { phases: asked, because } = action.what;
      return [[plain(`Approve to let ${phasesInWords(asked)} go ahead. People are asked because ${because}`)]];
    }
    case 'answer': {
      const { step: id } = action.what;
      const step = steps.find((each) => each.step.id === id)?.step;
      if (step?.kind !== 'guided') return [];
      return [[bold('Do this: '), plain(step.instructions), ...(step.link ? [plain(' '), link(step.link)] : [])]];
    }
    case 'help':
    case 'thaw':
      return [];
  }
}

function planLines(run: RunView): Line[] {
  const words = planWords(run);
  return [
    ...words.phases.flatMap(({ heading, steps }): Line[] => [
      [bold(heading)],
      ...steps.map((step): Line => {
        const nature = step.nature === 'cannot be undone' ? bold(' CANNOT BE UNDONE') : plain(` (${step.nature})`);
        const why = step.unavoidable ? [plain(`: ${step.unavoidable}`)] : [];
        const became = step.became ? [plain(` — ${step.became}`)] : [];
        return [plain(`${step.number}. ${step.mark} ${step.title}`), nature, ...why, ...became];
      }),
    ]),
    [bold(words.undo)],
    ...(run.planSha256 ? [[plain('Plan '), code(run.planSha256.slice(0, 12))]] : []),
  ];
}

function footer({ runs, openedAt, closedAt, ref }: IncidentView): Block {
  const opened = Date.parse(openedAt);
  const contained = runs.map((run) => run.milestones.contained);
  const last = contained.every((at) => at !== undefined) ? Math.max(...contained) : undefined;
  const words = [
    ref,
    `opened ${stamp(opened)}`,
    ...(last === undefined || runs.length === 0 ? [] : [`contained after ${elapsed(last - opened)}`]),
    ...(closedAt ? [`closed ${stamp(Date.parse(closedAt))}`] : []),
  ];
  return { type: 'context', elements: [{ type: 'plain_text', text: words.join(' · '), emoji: false }] };
}
