import type { FailureCode } from './failure.ts';
import type { Severity } from './finding.ts';

/** What came of a call, as far as a trace tells it. */
export type Outcome = { readonly ok: true } | { readonly ok: false; readonly failure: { readonly code: FailureCode } };

export interface TracedCall {
  readonly incident: string;
  readonly run: string;
  /** The step's operation, or what else is asked of it: `aws-iam.disableKey`, `undo`, … */
  readonly operation: string;
  readonly stage: 'read' | 'before' | 'run' | 'probe' | 'confirm' | 'undo';
  readonly phase: string;
  readonly attempt: number;
}

export interface TracedAlert {
  readonly id: string;
  readonly source: string;
  readonly severity: Severity;
  readonly receivedAt: Date;
  readonly began: Date;
  readonly ended: Date;
  /** Every provider that was asked whose credential it is. */
  readonly asked: readonly {
    readonly kind: string;
    readonly from: Date;
    readonly to: Date;
    readonly outcome: FailureCode | 'ok';
  }[];
  readonly incidents: readonly { readonly id: string; readonly opened: boolean }[];
}

/**
 * Tells where time went, from the webhook to the provider's answer: one trace for each incident, named by it alone, so that it
 * goes on after a restart and on another replica. Told are names and times; never an input, an answer or a secret.
 */
export interface Traces {
  /** An alert was taken in and is durable; `from` is when its request came. */
  arrived(alert: string, from: Date, to: Date): void;
  triaged(alert: TracedAlert): void;
  call<T extends Outcome>(call: TracedCall, make: () => Promise<T>): Promise<T>;
  /** Sends what is not yet sent, for a few seconds at most. */
  close(): Promise<void>;
}

export const noTraces: Traces = {
  arrived() {},
  triaged() {},
  call: (_call, make) => make(),
  async close() {},
};
