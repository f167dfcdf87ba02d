import type { AwsSimulator } from '../../connectors/aws-iam/simulator.ts';
import type { GithubSimulator } from '../../connectors/github/simulator.ts';
import type { Duration } from '../core/duration.ts';
import type { JsonObject } from '../core/json.ts';
import type { IncidentView } from '../incident/view.ts';

/** The providers of a drill or a sandbox: they speak their real protocols, and nothing about them is real. */
export interface World {
  readonly aws: AwsSimulator;
  readonly github: GithubSimulator;
  readonly now: () => Date;
  /** That alerts are signed with, GitHub's and those in our own format. */
  readonly webhookSecret: string;
}

/** An alert as its source would send it. */
export interface Delivery {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the drill is measured by. `met` looks at the providers and at the incident, never at what the bot says of itself alone. */
export interface Objective {
  readonly title: string;
  readonly met: (incident: IncidentView) => boolean;
}

export interface Staged {
  readonly alert: Delivery;
  /** What the inventory knows, as the file TOURNIQUET_INVENTORY has it. */
  readonly inventory: readonly (JsonObject & { readonly params?: JsonObject })[];
  readonly objectives: readonly Objective[];
  /** Secrets that must appear nowhere: not in the ledger, the database file, a message or a log. */
  readonly secrets: readonly string[];
}

/** A situation to practise: who leaked what, and what must be true in the end. */
export interface Scenario {
  /** Kebab-case, the name of its file in runbooks/drills. */
  readonly name: string;
  readonly title: string;
  /** The situation, for the people at the table. */
  readonly brief: string;
  /** Sets the providers up. `soak` is how long retired credentials are kept. */
  readonly stage: (world: World, options: { readonly soak: Duration }) => Staged;
}
