import type { z } from 'zod';
import type { Named } from './connector.ts';
import type { Credential, CredentialKind } from './credential.ts';
import type { Duration } from './duration.ts';
import type { Json, JsonObject } from './json.ts';
import type { Liveness, Typed } from './operation.ts';
import type { Effect } from './plan.ts';

const REF: unique symbol = Symbol('ref');

/** Stands in an input for what an earlier step will give; the engine puts the value in its place and records it in the intent. */
export interface Ref<T> {
  readonly [REF]: { readonly step: Step; readonly field: string };
  readonly type?: T;
}

/** `T`, or a reference to an earlier step's output in place of any part of it. */
export type OrRef<T> =
  | Ref<T>
  | (T extends string | number | boolean | null | undefined ? T : { readonly [K in keyof T]: OrRef<T[K]> });

/** One call of one operation, with its title for a tired person. */
export interface Step<E extends Effect | 'unavoidable' = Effect | 'unavoidable', Out = unknown> {
  readonly kind: 'call';
  readonly title: string;
  readonly effect: E;
  readonly op: string;
  readonly input: unknown;
  readonly because?: string;
  readonly otherwise?: unknown;
  readonly out?: Out;
}
/** Asks a liveness operation until it answers as expected, and again past propagation. */
export interface Confirm {
  readonly kind: 'confirm';
  readonly title: string;
  readonly op: string;
  readonly input: unknown;
  readonly expect: 'dead' | 'live';
  readonly within: Duration;
  readonly settle: Duration;
}
/** Something no API offers: a person does it and says so; follow it with a `confirm`. */
export interface Guided {
  readonly kind: 'guided';
  readonly title: string;
  readonly instructions: string;
  readonly link?: string;
  readonly asks: string;
}
/** A soak: time for users of the credential to move to its replacement. */
export interface Wait {
  readonly kind: 'wait';
  readonly title: string;
  readonly for: Duration;
}
/** Whatever a plan may hold. */
export type AnyStep = Step | Confirm | Guided | Wait;

type Operable<E extends Effect, In, Out> = Named<Typed<E, In, Out>>;

/** A step that calls `op` with `input`. Does not compile when the input is not of the operation's schema. */
export function step<E extends Effect, In, Out>(
  title: string,
  op: Operable<E, In, Out>,
  input: OrRef<NoInfer<In>>,
): Step<E, Out> {
  return { kind: 'call', title, effect: op.effect, op: op.name, input };
}

/**
 * Lets an irreversible step stand in `contain` or `rotate`, where only reversible ones may, because the provider offers
 * nothing better. The reason is shown to whoever approves.
 */
export const unavoidable = <Out>(
  because: string,
  irreversible: Step<'irreversible', Out>,
): Step<'unavoidable', Out> => ({
  ...irreversible,
  effect: 'unavoidable',
  because,
});

/** Lets the run go on with `value` when `read` cannot be had: missing evidence must not hold up containment. */
export const otherwise = <Out>(read: Step<'observe', Out>, value: NoInfer<Out>): Step<'observe', Out> => ({
  ...read,
  otherwise: value,
});

/** Lets the run go on with null when `read` cannot be had. */
export const ifPossible = (read: Step<'observe', Json>): Step<'observe', Json | null> =>
  otherwise<Json | null>(read, null);

/** A confirmation. `within`: call a person after this long; `settle`: look again after this long before believing it. */
export function confirm<In>(
  title: string,
  op: Operable<'observe', In, Liveness>,
  input: OrRef<NoInfer<In>>,
  { expect, within, settle }: { expect: 'dead' | 'live'; within: Duration; settle: Duration },
): Confirm {
  return { kind: 'confirm', title, op: op.name, input, expect, within, settle };
}

export const guided = (
  title: string,
  { instructions, link, asks }: { instructions: string; link?: string; asks: string },
): Guided => ({ kind: 'guided', title, instructions, ...(link === undefined ? {} : { link }), asks });

export const wait = (title: string, duration: Duration): Wait => ({ kind: 'wait', title, for: duration });

/** The field of what `from` will give, for the input of a later step of this run. */
export const out = <Out extends JsonObject, K extends keyof Out & string>(
  from: Step<Effect | 'unavoidable', Out>,
  field: K,
): Ref<Out[K]> => ({ [REF]: { step: from, field } });

export const refOf = (value: object): { readonly step: Step; readonly field: string } | undefined =>
  REF in value ? (value as Ref<unknown>)[REF] : undefined;

type Permitted<E extends Effect | 'unavoidable'> = Step<E> | Confirm | Guided | Wait;
/** Steps of a phase by name, in the order in which they run; a list where one is needed for each of something. */
export type Steps<S extends AnyStep = AnyStep> = Readonly<Record<string, S | readonly S[] | undefined>>;

export type Reads = Readonly<Record<string, Step<'observe'>>>;
export type Facts<A extends Reads> = { readonly [K in keyof A]: A[K] extends Step<'observe', infer Out> ? Out : never };

export interface RunbookSpec<
  K extends string,
  W extends JsonObject,
  P extends JsonObject,
  A extends Reads,
  C extends Steps<Permitted<'observe' | 'reversible' | 'unavoidable'>>,
  R extends Steps<Permitted<'observe' | 'reversible' | 'unavoidable'>>,
> {
  /** Kebab-case, the name of its file. */
  readonly name: string;
  /** What went wrong, in plain words: "An AWS access key is outside our control". */
  readonly title: string;
  readonly params: z.ZodType<P>;
  /** What is true? Reads only, all at once; evidence before anything overwrites it. */
  readonly assess: (key: Credential<K, W>, params: P) => A;
  /** How do we stop harm now, in a way we can take back? */
  readonly contain: (key: Credential<K, W>, facts: Facts<A>, params: P) => C;
  /** How do its users get a working replacement? */
  readonly rotate?: (key: Credential<K, W>, facts: Facts<A>, params: P) => R;
  /** How does it die for good, and how do we know it stays dead? */
  readonly retire?: (
    key: Credential<K, W>,
    facts: Facts<A>,
    params: P,
    earlier: { readonly contain: C; readonly rotate: R | undefined },
  ) => Steps;
}

/** A runbook as the planner knows it: pure functions from data to steps. */
export interface Runbook {
  readonly name: string;
  readonly title: string;
  readonly kind: CredentialKind;
  readonly params: z.ZodType<JsonObject>;
  readonly assess: (credential: Credential, params: JsonObject) => Steps;
  readonly respond: (
    credential: Credential,
    facts: JsonObject,
    params: JsonObject,
  ) => { readonly contain: Steps; readonly rotate: Steps; readonly retire: Steps };
}

/** Makes a runbook. Does not compile when an irreversible step stands in `contain` or `rotate` without `unavoidable`. */
export function defineRunbook<
  K extends string,
  W extends JsonObject,
  P extends JsonObject,
  A extends Reads,
  C extends Steps<Permitted<'observe' | 'reversible' | 'unavoidable'>>,
  R extends Steps<Permitted<'observe' | 'reversible' | 'unavoidable'>>,
>(kind: CredentialKind<K, W>, spec: RunbookSpec<K, W, P, A, C, R>): Runbook {
  const credentialOf = (credential: Credential): Credential<K, W> => ({
    ...credential,
    kind: kind.kind,
    where: kind.where.parse(credential.where),
  });
  return {
    name: spec.name,
    title: spec.title,
    kind,
    params: spec.params,
    assess: (credential, params) => spec.assess(credentialOf(credential), spec.params.parse(params)),
    respond(credential, recorded, given) {
      const key = credentialOf(credential);
      const params = spec.params.parse(given);
      const facts = recorded as Facts<A>; // what the steps of `assess` returned, through our own ledger
      const contain = spec.contain(key, facts, params);
      const rotate = spec.rotate?.(key, facts, params);
      return { contain, rotate: rotate ?? {}, retire: spec.retire?.(key, facts, params, { contain, rotate }) ?? {} };
    },
  };
}
