import { hash } from 'node:crypto';
import type { Outcome, TracedAlert, TracedCall, Traces } from '../core/traces.ts';

/** A span that is over. Times are milliseconds since the epoch, with fractions. */
export interface FinishedSpan {
  readonly traceId: string;
  /** Its own id where it is the root of its trace; else one is made up, and `parentId` says whose child it is. */
  readonly id?: string;
  readonly parentId?: string;
  readonly kind: 'server' | 'internal' | 'client';
  readonly name: string;
  readonly from: number;
  readonly to: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  /** The code of a failure. */
  readonly failed?: string;
}

/** Where spans go. */
export interface Emitter {
  emit(span: FinishedSpan): void;
  close(): Promise<void>;
}

/** The trace of an incident, and its root: the same on every replica and after every restart. */
export function traceOf(incident: string): { readonly traceId: string; readonly rootId: string } {
  const digest = hash('sha256', `tourniquet/incident/${incident}`, 'hex');
  return { traceId: digest.slice(0, 32), rootId: digest.slice(32, 48) };
}

/** Alerts between the webhook and triage, of this process: past so many, the oldest lose the span of their request. */
const MOST_ARRIVALS = 10_000;

/**
 * Tells an emitter where time went. `open` loads it when there is first something to tell, so that a start costs nothing; `now`
 * gives milliseconds since the epoch, with fractions. A bot that cannot be watched still contains: a failure only goes to
 * `onTrouble`.
 */
export function createTraces(
  open: () => Promise<Emitter>,
  now: () => number,
  onTrouble: (error: unknown) => void,
): Traces {
  const arrivals = new Map<string, { readonly from: number; readonly to: number }>();
  let emitter: Promise<Emitter> | null = null;
  const emit = (spans: readonly FinishedSpan[]): void => {
    emitter ??= open();
    emitter.then((opened) => {
      for (const span of spans) opened.emit(span);
    }, onTrouble);
  };
  return {
    arrived(alert, from, to) {
      arrivals.set(alert, { from: from.getTime(), to: to.getTime() });
      const [oldest] = arrivals.keys();
      if (arrivals.size > MOST_ARRIVALS && oldest !== undefined) arrivals.delete(oldest);
    },
    triaged(alert) {
      const request = arrivals.get(alert.id);
      arrivals.delete(alert.id);
      emit(alert.incidents.flatMap(({ id, opened }) => spansOf(alert, id, opened, request)));
    },
    async call(call, make) {
      const from = now();
      const outcome = await make();
      emit([callSpan(call, outcome, from, now())]);
      return outcome;
    },
    async close() {
      const opened = await emitter?.catch(() => null); // its failure was told
      await opened?.close().catch(onTrouble);
    },
  };
}

/** The root is the alert that opened the incident, from its request to the end of its triage; what joins later hangs below it. */
function spansOf(
  { source, severity, receivedAt, began, ended, asked }: TracedAlert,
  incident: string,
  opened: boolean,
  request: { readonly from: number; readonly to: number } | undefined,
): FinishedSpan[] {
  const { traceId, rootId } = traceOf(incident);
  const attributes = { 'tourniquet.incident': incident, 'tourniquet.source': source, 'tourniquet.severity': severity };
  const received = receivedAt.getTime();
  const whole = { name: `alert ${source}`, from: request?.from ?? received, to: ended.getTime(), attributes } as const;
  const below = { traceId, parentId: rootId, attributes } as const;
  return [
    opened
      ? { ...whole, traceId, id: rootId, kind: 'server' }
      : { ...whole, traceId, parentId: rootId, kind: 'server' },
    ...(request ? [{ ...below, kind: 'internal', name: 'ingest', ...request } as const] : []),
    { ...below, kind: 'internal', name: 'queue', from: request?.to ?? received, to: began.getTime() },
    { ...below, kind: 'internal', name: 'triage', from: began.getTime(), to: ended.getTime() },
    ...asked.map(
      ({ kind, from, to, outcome }): FinishedSpan => ({
        ...below,
        kind: 'client',
        name: `identify ${kind}`,
        from: from.getTime(),
        to: to.getTime(),
        ...(outcome === 'ok' ? {} : { failed: outcome }),
      }),
    ),
  ];
}

function callSpan(
  { incident, run, operation, stage, phase, attempt }: TracedCall,
  outcome: Outcome,
  from: number,
  to: number,
): FinishedSpan {
  const { traceId, rootId } = traceOf(incident);
  return {
    traceId,
    parentId: rootId,
    kind: 'client',
    name: `${stage} ${operation}`,
    from,
    to,
    attributes: {
      'tourniquet.incident': incident,
      'tourniquet.run': run,
      'tourniquet.phase': phase,
      'tourniquet.attempt': attempt,
    },
    ...(outcome.ok ? {} : { failed: outcome.failure.code }),
  };
}
