import type { WebClient } from '@slack/web-api';
import type { Desk, Said } from '../decisions/desk.ts';
import type { PageOf } from './card.ts';
import { claimDelivery } from './delivery.ts';
import type { Identity } from './identity.ts';
import { type Log, traceOf } from './log.ts';
import { type Message, tell } from './text.ts';

/** What people can ask for in chat that is not a decision on a run. Implemented where triage and drills are at hand. */
export interface SlackServices {
  /** Opens a run on the credential that `text` names or is. `text` may be a secret. */
  revoke(request: { readonly text: string; readonly authn: string; readonly why: string }): Promise<Said>;
  /** What a runbook would do about it, with real reads and no writes. */
  plan(request: {
    readonly text: string;
    readonly authn: string;
  }): Promise<
    { readonly ok: true; readonly lines: readonly string[] } | { readonly ok: false; readonly message: string }
  >;
  drill(request: { readonly scenario: string; readonly authn: string }): Promise<Said>;
}

/** What commands and actions work with. */
export interface Context {
  readonly desk: Desk;
  readonly services: SlackServices;
  readonly client: WebClient;
  readonly identity: () => Promise<Identity>;
  readonly log: Log;
  readonly pageOf: PageOf;
  /** Shows a message to one person alone, by the response URL of what they did. */
  readonly answer: (responseUrl: string, message: Message) => Promise<void>;
}

/** One thing that one person did in Slack: already authenticated by Slack's signature, and acknowledged. */
export interface Interaction {
  /** The same for every delivery of the same act, and for no other. */
  readonly id: string;
  /** The workspaces that Slack names for it; each must be ours. */
  readonly teams: readonly (string | undefined)[];
  readonly user: string;
  readonly responseUrl: string;
}

/**
 * Does `work` for the person who interacted and shows them the answer; nothing on a redelivery, nothing for another workspace.
 * `work` answers null when it has already answered. Never rejects: whoever clicked hears of a failure, and the log does.
 */
export async function attend(
  context: Context,
  interaction: Interaction,
  work: (authn: string) => Promise<Message | null>,
): Promise<void> {
  const message = await done(context, interaction, work);
  if (!message) return;
  try {
    await context.answer(interaction.responseUrl, message);
  } catch (error) {
    context.log.warn(traceOf(error), 'Slack did not take the answer to a person');
  }
}

async function done(
  context: Context,
  { id, teams, user }: Interaction,
  work: (authn: string) => Promise<Message | null>,
): Promise<Message | null> {
  try {
    if (!(await claimDelivery(context.desk.store, id, context.desk.clock.now()))) return null;
    return (await isOurs(context, teams)) ? await work(`slack:${user}`) : STRANGER;
  } catch (error) {
    context.log.error(traceOf(error), 'Something asked for in Slack failed');
    return FAILED;
  }
}

async function isOurs({ identity }: Context, teams: readonly (string | undefined)[]): Promise<boolean> {
  const { team } = await identity();
  const named = teams.filter((each) => each !== undefined);
  return named.length > 0 && named.every((each) => each === team);
}

const STRANGER = tell(
  'You come from another Slack workspace than Tourniquet, so this was not done. Ask someone who is in it.',
);
const FAILED = tell(
  'Tourniquet could not finish this, and you cannot rely on it having happened. Look at the incident before you try again.',
);

/** A decision's answer, for the person who asked for it. */
export const answered = (said: Said): Message => tell(said.ok ? said.said : said.message);
