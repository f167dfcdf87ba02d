import type { VirtualClock } from '../core/clock.ts';
import { decide } from '../decisions/approve.ts';
import type { Desk } from '../decisions/desk.ts';
import { answerStep } from '../decisions/help.ts';
import { type IncidentView, listIncidents, type RunView, readIncident } from '../incident/view.ts';
import type { Delivery } from './scenario.ts';

/** The bot under drill: the same app as in earnest, among simulated providers. */
export interface Bot {
  readonly desk: Desk;
  /** Hands it an alert as HTTP would; resolves with the status answered. */
  readonly post: (alert: Delivery) => Promise<number>;
  /** Moves everything that is due; resolves with when the next run is due, or null. */
  readonly drain: () => Promise<number | null>;
}

/** The people at the table. */
export interface Table {
  /** Whoever decides, as the roster knows them. */
  readonly authn: string;
  /** Shown the plan; says yes or no. */
  readonly approve: (incident: IncidentView, run: RunView) => Promise<boolean>;
  /** Asked to do a guided step; says what they did. */
  readonly answer: (question: string) => Promise<string>;
}

/** Far more than any runbook takes; a drill that goes round in circles must end. */
const MOST_TURNS = 5_000;

/**
 * Plays an alert to its end: the bot acts, people decide when asked, and time passes at once wherever the bot would wait.
 * Resolves with the incident as it stands when nothing more will happen by itself. Rejects when the alert is refused.
 */
export async function play(bot: Bot, clock: VirtualClock, alert: Delivery, table: Table): Promise<IncidentView> {
  const status = await bot.post(alert);
  if (status !== 202) throw new Error(`The bot refused the alert of the drill with HTTP ${status}.`);
  for (let turn = 0; turn < MOST_TURNS; turn += 1) {
    const due = await bot.drain();
    const incident = await newest(bot, clock);
    const decided = await askPeople(bot.desk, incident, table);
    if (decided) continue;
    if (due === null || incident.state === 'closed') return incident;
    clock.moveTo(new Date(due));
  }
  throw new Error('The drill never ends: a run keeps waking up without coming to a close.');
}

async function newest({ desk }: Bot, clock: VirtualClock): Promise<IncidentView> {
  const [line] = await listIncidents(desk.store.db, { limit: 1, open: false });
  const incident = line && (await readIncident(desk.store.db, line.id, clock.now()));
  if (!incident) throw new Error('The bot accepted the alert and opened no incident.');
  return incident;
}

/** Whether somebody decided something. A verdict that is refused ends the drill: it would be asked for ever. */
async function askPeople(desk: Desk, incident: IncidentView, table: Table): Promise<boolean> {
  for (const run of incident.runs) {
    if (run.action.do !== 'await') continue;
    const { what } = run.action;
    if (what.need === 'approval' && run.planSha256 !== undefined) {
      const verdict = (await table.approve(incident, run)) ? 'approve' : 'deny';
      const said = await decide(desk, { run: run.id, planSha256: run.planSha256, verdict, authn: table.authn });
      if (!said.ok) throw new Error(`The verdict was refused: ${said.message}`);
      return true;
    }
    if (what.need === 'answer') {
      const step = run.phases.flatMap((phase) => phase.steps).find((each) => each.step.id === what.step)?.step;
      const question = step?.kind === 'guided' ? `${step.title}\n${step.instructions}\n${step.asks}` : what.step;
      const said = await answerStep(desk, {
        run: run.id,
        step: what.step,
        answer: await table.answer(question),
        authn: table.authn,
      });
      if (!said.ok) throw new Error(`The answer was refused: ${said.message}`);
      return true;
    }
  }
  return false;
}
