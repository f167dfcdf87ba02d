import type { CallContext } from '../core/connector.ts';
import type { SealedRef } from '../core/credential.ts';
import { Failure } from '../core/failure.ts';
import type { Registry } from './registry.ts';

/** What came of one conversation with a provider, with the provider's own request ids. */
export type Called<T> =
  | { readonly ok: true; readonly value: T; readonly requestIds: readonly string[] }
  | { readonly ok: false; readonly failure: Failure; readonly requestIds: readonly string[] };

export interface CallOptions {
  readonly idempotencyKey: string;
  readonly approval: CallContext['approval'];
  readonly timeoutMs?: number;
}

/** Calls providers: gives each call its context, a time limit, and an end in words. */
export interface Caller {
  call<T>(options: CallOptions, ask: (ctx: CallContext) => Promise<T>): Promise<Called<T>>;
}

const TIMEOUT_MS = 20_000;

export function createCaller(parts: {
  readonly registry: Registry;
  readonly now: () => Date;
  readonly openSecret: (ref: SealedRef) => Promise<string | null>;
  /** Aborts every call, when the process drains. */
  readonly signal: AbortSignal;
  /** Code of ours, or of an extension, threw what it should not: for the log, which scrubs it. */
  readonly onBug: (error: unknown) => void;
}): Caller {
  const { registry, now, openSecret } = parts;
  return {
    async call({ idempotencyKey, approval, timeoutMs = TIMEOUT_MS }, ask) {
      const requestIds: string[] = [];
      const timeout = AbortSignal.timeout(timeoutMs);
      const signal = AbortSignal.any([timeout, parts.signal]);
      const ctx: CallContext = {
        now,
        signal,
        idempotencyKey,
        approval,
        receipt: (id) => {
          if (id) requestIds.push(id);
        },
        secret: async (ref) => {
          const secret = await openSecret(ref);
          if (secret === null)
            throw new Failure('missing', 'The secret was destroyed after its last use; it is not kept.');
          return secret;
        },
        sink: (target) => {
          const open = registry.sink(target.kind);
          if (!open) throw new Failure('invalid', `No configured connector can write a secret to "${target.kind}".`);
          return open(ctx, target);
        },
      };
      try {
        return { ok: true, value: await Promise.race([ask(ctx), aborted(signal, timeout, timeoutMs)]), requestIds };
      } catch (error) {
        const failure = asFailure(error);
        if (failure.code === 'bug') parts.onBug(error);
        return { ok: false, failure, requestIds };
      }
    },
  };
}

/** An operation that ignores its signal must not hold up the run. */
function aborted(signal: AbortSignal, timeout: AbortSignal, timeoutMs: number): Promise<never> {
  return new Promise((_resolve, reject) => {
    const fail = (): void =>
      reject(
        timeout.aborted
          ? new Failure('timeout', `No answer within ${timeoutMs / 1_000} s.`)
          : new Failure('timeout', 'Tourniquet was stopping; the call was cut off.'),
      );
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
}

/** The message of an error we did not write may hold anything, a secret too: only its name goes on record. */
function asFailure(error: unknown): Failure {
  if (error instanceof Failure) return error;
  const name = error instanceof Error ? error.name : typeof error;
  if (name === 'ZodError')
    return new Failure('invalid', 'The input of this step is not what the operation takes.', { cause: error });
  return new Failure('bug', `Our own code failed (${name}); whether the provider applied anything must be asked.`, {
    cause: error,
  });
}
