import type { z } from 'zod';
import type { Credential } from './credential.ts';
import type { Clue, Exposure, Location, Validity } from './finding.ts';
import type { Json } from './json.ts';
import type { Ctx, Operation, OperationMeta, OperationOn } from './operation.ts';
import type { Effect } from './plan.ts';
import type { Sink, SinkTarget } from './sink.ts';

/** Environment variables, or what stands for them in a drill. */
export type Env = Readonly<Record<string, string | undefined>>;

/** What a connector may use of the world. It reads no environment, file or clock by itself. */
export interface Outside {
  readonly now: () => Date;
  /** Throws Failure `denied` when this process may not talk to `url`: in a drill, anything but its simulators. */
  readonly guard: (url: URL) => void;
}

/** What became of a clue. */
export type Identified =
  /** Ours, and here is what its provider calls it. */
  | {
      readonly is: 'credential';
      readonly credential: Credential;
      readonly validity?: Validity;
      readonly exposure?: Exposure;
      readonly locations?: readonly Location[];
    }
  /** It led further: ask again with this clue. */
  | {
      readonly is: 'clue';
      readonly clue: Clue;
      readonly validity?: Validity;
      readonly exposure?: Exposure;
      readonly locations?: readonly Location[];
    }
  /** Shown to people, never acted on: not ours, already dead, or the provider could not say. */
  | { readonly is: 'not-ours' | 'dead' | 'unknown'; readonly because: string };

/** One line of `tourniquet doctor`. */
export interface DoctorCheck {
  readonly name: string;
  readonly state: 'ok' | 'missing' | 'too-much' | 'warning' | 'unknown';
  readonly detail: string;
}

/** At most `capacity` calls at once, refilled at `perSecond`. */
export interface Bucket {
  readonly capacity: number;
  readonly perSecond: number;
}

export interface ConnectorSpec<C, S, T extends Readonly<Record<string, Operation<C>>>> {
  /** Kebab-case, the name of its folder. */
  readonly name: string;
  readonly title: string;
  /** The environment variables that it reads; each with `.describe()`, the secret ones with `.meta({ secret: true })`. */
  readonly settings: z.ZodObject<z.ZodRawShape> & z.ZodType<S>;
  /** Whether someone meant to configure it: any of its own variables is set. Half a configuration is then refused. */
  readonly configured: (env: Env) => boolean;
  /** Makes the client. Touches nothing outside until an operation runs. */
  readonly connect: (settings: S, outside: Outside) => C;
  readonly buckets: Readonly<Record<string, Bucket>>;
  /** By clue kind: finds out whose credential it is. Evidence that a check would overwrite is read first. */
  readonly identify?: Readonly<Record<string, (ctx: Ctx<C>, clue: Clue) => Promise<Identified>>>;
  /** By sink kind. Throws Failure `invalid` when `target` is not of its schema. */
  readonly sinks?: Readonly<Record<string, (ctx: Ctx<C>, target: SinkTarget) => Sink>>;
  /** What is configured, and which permissions are there, missing, or too many. Reads only. */
  readonly doctor: (ctx: Ctx<C>) => Promise<readonly DoctorCheck[]>;
  readonly operations: T;
}

/** A context without the client, which the connector adds itself. */
export type CallContext = Omit<Ctx<unknown>, 'client'>;

/** An operation bound to its client: what the engine calls. */
export type BoundOperation = OperationOn<CallContext>;

/** A connector as the registry and the docs know it: its client and settings are its own affair. */
export interface Connector {
  readonly name: string;
  readonly title: string;
  readonly settings: z.ZodObject<z.ZodRawShape>;
  readonly configured: (env: Env) => boolean;
  /** By full name, `aws-iam.disableKey`. */
  readonly operations: Readonly<Record<string, OperationMeta & { readonly effect: Effect }>>;
  readonly clueKinds: readonly string[];
  readonly sinkKinds: readonly string[];
  /** Connects with the settings found in `env`. Throws a ZodError that names every setting that is wrong. */
  readonly open: (env: Env, outside: Outside) => OpenConnector;
}

/** A connector with its client. */
export interface OpenConnector {
  readonly name: string;
  readonly title: string;
  readonly buckets: Readonly<Record<string, Bucket>>;
  readonly operations: ReadonlyMap<string, BoundOperation>;
  readonly identify: ReadonlyMap<string, (ctx: CallContext, clue: Clue) => Promise<Identified>>;
  readonly sinks: ReadonlyMap<string, (ctx: CallContext, target: SinkTarget) => Sink>;
  readonly doctor: (ctx: CallContext) => Promise<readonly DoctorCheck[]>;
}

/** An operation with its full name, as runbooks refer to it. */
export type Named<T> = T & { readonly name: string };

/**
 * Makes a connector. The result holds its operations by name, for runbooks, and `connector`, for the registry.
 * Type-checks that every operation is written for this connector's client.
 */
export function defineConnector<C, S, T extends Readonly<Record<string, Operation<C>>>>(
  spec: ConnectorSpec<C, S, T>,
): { readonly [K in keyof T]: Named<T[K]> } & { readonly connector: Connector } {
  const nameOf = (operation: string): string => `${spec.name}.${operation}`;
  const named = <K extends keyof T & string>(key: K): Named<T[K]> => ({ ...spec.operations[key], name: nameOf(key) });
  const entries = Object.entries<Operation<C>>(spec.operations);
  const connector: Connector = {
    name: spec.name,
    title: spec.title,
    settings: spec.settings,
    configured: spec.configured,
    operations: Object.fromEntries(entries.map(([key, operation]) => [nameOf(key), operation])),
    clueKinds: Object.keys(spec.identify ?? {}),
    sinkKinds: Object.keys(spec.sinks ?? {}),
    open(env, outside) {
      const client = spec.connect(spec.settings.parse(env), outside);
      const withClient = (ctx: CallContext): Ctx<C> => ({ ...ctx, client });
      return {
        name: spec.name,
        title: spec.title,
        buckets: spec.buckets,
        operations: new Map(entries.map(([key, operation]) => [nameOf(key), bind(operation, withClient)])),
        identify: mapOf(spec.identify ?? {}, (identify) => (ctx, clue) => identify(withClient(ctx), clue)),
        sinks: mapOf(spec.sinks ?? {}, (sink) => (ctx, target) => sink(withClient(ctx), target)),
        doctor: (ctx) => spec.doctor(withClient(ctx)),
      };
    },
  };
  const keys = Object.keys(spec.operations) as (keyof T & string)[];
  const byName = Object.fromEntries(keys.map((key) => [key, named(key)])) as { readonly [K in keyof T]: Named<T[K]> };
  return { ...byName, connector };
}

function bind<C>(operation: Operation<C>, withClient: (ctx: CallContext) => Ctx<C>): BoundOperation {
  switch (operation.effect) {
    case 'observe':
      return { ...operation, run: (ctx: CallContext, input: Json) => operation.run(withClient(ctx), input) };
    case 'irreversible':
      return {
        ...operation,
        before: (ctx, input) => operation.before(withClient(ctx), input),
        run: (ctx, input, before) => operation.run(withClient(ctx), input, before),
        probe: (ctx, input, before) => operation.probe(withClient(ctx), input, before),
      };
    case 'reversible':
      return {
        ...operation,
        before: (ctx, input) => operation.before(withClient(ctx), input),
        run: (ctx, input, before) => operation.run(withClient(ctx), input, before),
        probe: (ctx, input, before) => operation.probe(withClient(ctx), input, before),
        undo: (ctx, input, before) => operation.undo(withClient(ctx), input, before),
      };
  }
}

const mapOf = <A, B>(record: Readonly<Record<string, A>>, change: (value: A) => B): ReadonlyMap<string, B> =>
  new Map(Object.entries(record).map(([key, value]) => [key, change(value)]));
