import type { z } from 'zod';
import type { SealedRef } from './credential.ts';
import type { Json } from './json.ts';
import type { Effect } from './plan.ts';
import type { Probe } from './probe.ts';
import type { Sink, SinkTarget } from './sink.ts';

/** What an operation is given besides its input. `C` is the connector's client. */
export interface Ctx<C> {
  readonly client: C;
  readonly now: () => Date;
  /** Aborted when the call takes longer than its time-out, or the process drains. */
  readonly signal: AbortSignal;
  /** The same for every attempt at one step of one run: pass it on wherever the provider takes such a key. */
  readonly idempotencyKey: string;
  /** The approvals under which this step runs; null when policy let the bot act by itself. */
  readonly approval: { readonly entries: readonly number[]; readonly by: readonly string[] } | null;
  /** Opens a sealed secret. Rejects with Failure `missing` once it was destroyed. */
  readonly secret: (ref: SealedRef) => Promise<string>;
  /** Where a new secret goes. Throws Failure `invalid` when no connector offers that kind of sink. */
  readonly sink: (target: SinkTarget) => Sink;
  /** Records the provider's own id of a request, so that our ledger and its audit log can be compared. */
  readonly receipt: (requestId: string | undefined) => void;
}

/** Whether a credential still works, as its provider answers. */
export type Liveness =
  | { readonly state: 'dead'; readonly because: string }
  | { readonly state: 'live'; readonly because: string }
  | { readonly state: 'unknown'; readonly because: string };

/** What everyone may know of an operation without calling it; doctor, docs and the policy documents are made from this. */
export interface OperationMeta {
  /** What it does, in the imperative: "Disable an access key". */
  readonly title: string;
  /** The provider's names for what it needs: `iam:UpdateAccessKey`, `secret_scanning_alerts:write`. */
  readonly permissions: readonly string[];
  /** The provider's own page on it. */
  readonly docs: string;
  /** Which of the connector's rate budgets it draws on. */
  readonly bucket: string;
  /** Milliseconds; 20 s when left out. */
  readonly timeoutMs?: number;
}

interface Shape<In> extends OperationMeta {
  readonly input: z.ZodType<In>;
}

export interface ObserveSpec<C, In, Out extends Json> extends Shape<In> {
  readonly run: (ctx: Ctx<C>, input: In) => Promise<Out>;
}

export interface ReversibleSpec<C, In, Before extends Json, Out extends Json> extends Shape<In> {
  /** Reads the state that `undo` will restore. It is recorded before `run` acts. */
  readonly before: (ctx: Ctx<C>, input: In) => Promise<Before>;
  /** Acts. "Already so" is success. */
  readonly run: (ctx: Ctx<C>, input: In, before: Before) => Promise<Out>;
  readonly probe: (ctx: Ctx<C>, input: In, before: Before) => Promise<Probe<Out>>;
  /** Restores `before`. Must be safe to repeat: a restart calls it again. */
  readonly undo: (ctx: Ctx<C>, input: In, before: Before) => Promise<void>;
}

export interface IrreversibleSpec<C, In, Before extends Json, Out extends Json> extends Shape<In> {
  /** What a probe or a person will want to know once it is gone; recorded before `run` acts. */
  readonly before: (ctx: Ctx<C>, input: In) => Promise<Before>;
  readonly run: (ctx: Ctx<C>, input: In, before: Before) => Promise<Out>;
  readonly probe: (ctx: Ctx<C>, input: In, before: Before) => Promise<Probe<Out>>;
}

/** What every operation can be asked, whatever its effect; `X` is the context that its functions take. */
export type OperationOn<X> = OperationMeta &
  (
    | { readonly effect: 'observe'; readonly run: (ctx: X, input: Json) => Promise<Json> }
    | {
        readonly effect: 'reversible';
        readonly before: (ctx: X, input: Json) => Promise<Json>;
        readonly run: (ctx: X, input: Json, before: Json) => Promise<Json>;
        readonly probe: (ctx: X, input: Json, before: Json) => Promise<Probe<Json>>;
        readonly undo: (ctx: X, input: Json, before: Json) => Promise<void>;
      }
    | {
        readonly effect: 'irreversible';
        readonly before: (ctx: X, input: Json) => Promise<Json>;
        readonly run: (ctx: X, input: Json, before: Json) => Promise<Json>;
        readonly probe: (ctx: X, input: Json, before: Json) => Promise<Probe<Json>>;
      }
  );

/** An operation of a connector whose client is `C`. Inputs are checked against its schema. */
export type Operation<C> = OperationOn<Ctx<C>>;

/** Remembers, for the compiler alone, what goes in and comes out; absent at run time. */
export interface Typed<E extends Effect, In, Out> {
  readonly effect: E;
  readonly types?: { readonly in: In; readonly out: Out };
}

/**
 * The three ways to write an operation of a connector whose client is `C`: `operations<Client>().observe({ … })`.
 * The input of every call is parsed with `input`; a mismatch throws a ZodError before the provider is touched.
 */
export function operations<C>() {
  return {
    observe: <In, Out extends Json>(spec: ObserveSpec<C, In, Out>): Operation<C> & Typed<'observe', In, Out> => ({
      ...metaOf(spec),
      effect: 'observe',
      run: async (ctx, input) => spec.run(ctx, spec.input.parse(input)),
    }),
    reversible: <In, Before extends Json, Out extends Json>(
      spec: ReversibleSpec<C, In, Before, Out>,
    ): Operation<C> & Typed<'reversible', In, Out> => ({
      ...metaOf(spec),
      effect: 'reversible',
      before: async (ctx, input) => spec.before(ctx, spec.input.parse(input)),
      run: async (ctx, input, before) => spec.run(ctx, spec.input.parse(input), recorded(before)),
      probe: async (ctx, input, before) => spec.probe(ctx, spec.input.parse(input), recorded(before)),
      undo: async (ctx, input, before) => spec.undo(ctx, spec.input.parse(input), recorded(before)),
    }),
    irreversible: <In, Before extends Json, Out extends Json>(
      spec: IrreversibleSpec<C, In, Before, Out>,
    ): Operation<C> & Typed<'irreversible', In, Out> => ({
      ...metaOf(spec),
      effect: 'irreversible',
      before: async (ctx, input) => spec.before(ctx, spec.input.parse(input)),
      run: async (ctx, input, before) => spec.run(ctx, spec.input.parse(input), recorded(before)),
      probe: async (ctx, input, before) => spec.probe(ctx, spec.input.parse(input), recorded(before)),
    }),
  };
}

/** The one cast of a journaled value: what `before` returned, the same operation gets back, through our own ledger. */
const recorded = <Before extends Json>(before: Json): Before => before as Before;

const metaOf = ({ title, permissions, docs, bucket, timeoutMs }: OperationMeta): OperationMeta => ({
  title,
  permissions,
  docs,
  bucket,
  ...(timeoutMs === undefined ? {} : { timeoutMs }),
});
