import { afterEach, describe, expect, it } from 'vitest';
import type { CallContext, OpenConnector } from '../src/core/connector.ts';
import { aftermath, Failure, type FailureCode } from '../src/core/failure.ts';
import type { Json } from '../src/core/json.ts';
import type { Probe } from '../src/core/probe.ts';
import type { Fault, Faults } from '../src/core/simulator.ts';

/**
 * What every connector promises the engine, asked of each of its operations over real HTTP against its simulator:
 * probes tell the truth, repeating does no harm, undo restores, and every way in which a call can go wrong ends in a
 * `Failure` whose code says what it left behind.
 */

/** A connector and the simulated provider it is pointed at; made anew for every test. */
export interface TestWorld {
  readonly connector: OpenConnector;
  readonly faults: Faults;
  readonly now: () => Date;
  /** Every secret value that is in play by now, to look for in errors. */
  readonly secrets: () => readonly string[];
  /** Opens a sealed secret; by default there are none. */
  readonly secret?: CallContext['secret'];
  /** Where new secrets go; by default the connector's own sinks. */
  readonly sink?: CallContext['sink'];
  readonly close: () => Promise<void>;
}

interface Case<W extends TestWorld> {
  /** Full name: `aws-iam.disableKey`. */
  readonly operation: string;
  readonly input: (world: W) => Json;
  /** The provider's name for the call that faults are injected into; for an effect, the one that acts. */
  readonly action: string;
  /** The codes that this operation may answer a fault with, where it differs from the usual ones. */
  readonly codes?: Partial<Record<Fault, readonly (FailureCode | 'success')[]>>;
}

export interface ObserveCase<W extends TestWorld> extends Case<W> {
  readonly effect: 'observe';
  /** What it must answer, by `toMatchObject`. */
  readonly gives: (world: W) => Json;
}

export interface EffectCase<W extends TestWorld> extends Case<W> {
  readonly effect: 'reversible' | 'irreversible';
  /** Whether the effect is in place, asked of the provider and not of the connector. */
  readonly effectVisible: (world: W) => boolean | Promise<boolean>;
  /** The provider's state that `undo` must bring back, as comparable data. */
  readonly state: (world: W) => unknown;
  /** The call that `undo` makes, when its faults are to be tried too. */
  readonly undoAction?: string;
  /** The call that `probe` makes: when it fails, the probe must not guess. */
  readonly probeAction?: string;
}

export interface ConnectorSuite<W extends TestWorld> {
  readonly open: () => Promise<W>;
  readonly cases: readonly (ObserveCase<W> | EffectCase<W>)[];
}

const USUAL: Readonly<Record<Fault, readonly (FailureCode | 'success')[]>> = {
  deny: ['denied'],
  missing: ['missing'],
  conflict: ['conflict', 'busy'],
  throttle: ['throttled'],
  error: ['unavailable'],
  'error-after': ['unavailable'],
  garbage: ['garbled'],
  hang: ['timeout'],
  'drop-after': ['unavailable', 'garbled'],
  lie: ['success', 'garbled'],
};
const FAULTS = Object.keys(USUAL) as readonly Fault[];
const OBSERVE_FAULTS = FAULTS.filter((fault) => fault !== 'lie' && fault !== 'error-after');
/** Long enough for a local answer on a busy machine, short enough to wait for in a test. */
const PATIENCE_MS = 4_000;
const HANG_MS = 300;

/** Describes `name`'s contract as one block of tests. */
export function describeConnector<W extends TestWorld>(name: string, { open, cases }: ConnectorSuite<W>): void {
  describe(`${name} keeps the contract of a connector`, () => {
    let world: W | undefined;
    const opened = async (): Promise<W> => {
      world = await open();
      return world;
    };
    afterEach(async () => {
      await world?.close();
      world = undefined;
    });

    it('says of every operation what it does, needs and costs', async () => {
      const { connector } = await opened();
      for (const [full, operation] of connector.operations) {
        expect(operation.title, full).toMatch(/^[A-Z]/);
        expect(operation.docs, full).toMatch(/^https:\/\//);
        expect(Object.keys(connector.buckets), full).toContain(operation.bucket);
      }
    });

    it('has a case here for every operation that changes something', async () => {
      const { connector } = await opened();
      const changing = [...connector.operations].filter(([, { effect }]) => effect !== 'observe').map(([full]) => full);
      expect(cases.map(({ operation }) => operation)).toEqual(expect.arrayContaining(changing));
    });

    for (const each of cases) {
      describe(each.operation, () => {
        if (each.effect === 'observe') describeObserve(each, opened);
        else describeEffect(each, opened);
      });
    }
  });
}

function describeObserve<W extends TestWorld>(each: ObserveCase<W>, opened: () => Promise<W>): void {
  it('answers, and leaves the request id', async () => {
    const world = await opened();
    const receipts: string[] = [];
    const answer = await observing(world, each).run(contextOf(world, { receipts }), each.input(world));
    expect(answer).toMatchObject(Object(each.gives(world)));
    expect(receipts.length).toBeGreaterThan(0);
  });

  it.each(OBSERVE_FAULTS)('ends a fault "%s" in the right failure', async (fault) => {
    const world = await opened();
    world.faults.inject(each.action, fault);
    const ctx = contextOf(world, { patienceMs: fault === 'hang' ? HANG_MS : PATIENCE_MS });
    const ended = await outcome(observing(world, each).run(ctx, each.input(world)));
    expectCode(each, fault, ended, world);
  });
}

function describeEffect<W extends TestWorld>(each: EffectCase<W>, opened: () => Promise<W>): void {
  it('is not done, then is done, and its probe knows', async () => {
    const world = await opened();
    const { before, run, probe } = await begin(world, each);
    expect(await probe()).toMatchObject({ state: 'not-done' });
    expect(await each.effectVisible(world)).toBe(false);
    const receipts: string[] = [];
    const out = await run({ receipts });
    expect(receipts.length).toBeGreaterThan(0);
    expect(await each.effectVisible(world)).toBe(true);
    expect(await probe()).toEqual({ state: 'done', out });
    for (const secret of world.secrets()) expect(JSON.stringify([before, out])).not.toContain(secret);
  });

  it('does no harm when it runs again', async () => {
    const world = await opened();
    const { run, probe } = await begin(world, each);
    const first = await run();
    expect(await run()).toEqual(first);
    expect(await each.effectVisible(world)).toBe(true);
    expect(await probe()).toEqual({ state: 'done', out: first });
  });

  if (each.effect === 'reversible') {
    it('undo restores what was there before, as often as it is called', async () => {
      const world = await opened();
      const state = await each.state(world);
      const { run, probe, undo } = await begin(world, each);
      await run();
      expect(await each.state(world)).not.toEqual(state);
      await undo();
      expect(await each.state(world)).toEqual(state);
      expect(await probe()).toMatchObject({ state: 'not-done' });
      await undo();
      expect(await each.state(world)).toEqual(state);
    });

    it('undo of something that was never done does no harm', async () => {
      const world = await opened();
      const state = await each.state(world);
      const { undo } = await begin(world, each);
      await undo();
      expect(await each.state(world)).toEqual(state);
    });
  }

  it.each(FAULTS)('ends a fault "%s" in the right failure, and then tells the truth and recovers', async (fault) => {
    const world = await opened();
    const { run, probe } = await begin(world, each);
    world.faults.inject(each.action, fault);
    const ended = await outcome(run({ patienceMs: fault === 'hang' ? HANG_MS : PATIENCE_MS }));
    expectCode(each, fault, ended, world);
    const visible = await each.effectVisible(world);
    if (ended.failure && aftermath(ended.failure.code) !== 'in-doubt') expect(visible).toBe(false);
    expect((await probe()).state).toBe(visible ? 'done' : 'not-done');
    const out = await run();
    expect(await each.effectVisible(world)).toBe(true);
    expect(await probe()).toEqual({ state: 'done', out });
  });

  const { probeAction, undoAction } = each;
  if (probeAction !== undefined) {
    it.each(['deny', 'error', 'garbage', 'throttle'] as const)('its probe does not guess after "%s"', async (fault) => {
      const world = await opened();
      const { run, probe } = await begin(world, each);
      await run();
      world.faults.inject(probeAction, fault);
      const ended = await outcome(probe());
      if (ended.failure === undefined) expect(ended.value).toMatchObject({ state: 'unknown' });
    });
  }
  if (undoAction !== undefined && each.effect === 'reversible') {
    it.each(['error', 'error-after', 'drop-after', 'throttle'] as const)(
      'undo can be called again after "%s"',
      async (fault) => {
        const world = await opened();
        const state = await each.state(world);
        const { run, undo } = await begin(world, each);
        await run();
        world.faults.inject(undoAction, fault);
        expect((await outcome(undo())).failure).toBeInstanceOf(Failure);
        await undo();
        expect(await each.state(world)).toEqual(state);
      },
    );
  }
}

interface Ended {
  readonly value?: unknown;
  readonly failure?: Failure;
}

/** What a promise came to. An error that is not a `Failure` is a defect of the connector and fails the test. */
async function outcome(promise: Promise<unknown>): Promise<Ended> {
  try {
    return { value: await promise };
  } catch (error) {
    if (error instanceof Failure) return { failure: error };
    throw error;
  }
}

function expectCode<W extends TestWorld>(each: Case<W>, fault: Fault, ended: Ended, world: W): void {
  const because = ended.failure ? `: ${ended.failure.message}` : '';
  expect(each.codes?.[fault] ?? USUAL[fault], `${fault}${because}`).toContain(ended.failure?.code ?? 'success');
  if (ended.failure?.code === 'throttled') expect(ended.failure.retryAfterMs).toBeGreaterThan(0);
  const said = JSON.stringify([ended.failure?.message, ended.failure?.stack, ended.failure?.cause ?? null]);
  for (const secret of world.secrets()) expect(said).not.toContain(secret);
}

/** Reads `before`, and gives the rest of the operation bound to it, every call with the step's one idempotency key. */
async function begin<W extends TestWorld>(world: W, each: EffectCase<W>) {
  const operation = world.connector.operations.get(each.operation);
  if (!operation || operation.effect === 'observe') throw new Error(`${each.operation} is not there, or only observes`);
  expect(operation.effect).toBe(each.effect);
  const input = each.input(world);
  const before = await operation.before(contextOf(world), input);
  return {
    before,
    run: (more?: ContextOptions): Promise<Json> => operation.run(contextOf(world, more), input, before),
    probe: (): Promise<Probe<Json>> => operation.probe(contextOf(world), input, before),
    undo: async (): Promise<void> => {
      if (operation.effect === 'reversible') await operation.undo(contextOf(world), input, before);
    },
  };
}

function observing<W extends TestWorld>(world: W, { operation }: ObserveCase<W>) {
  const found = world.connector.operations.get(operation);
  if (found?.effect !== 'observe') throw new Error(`${operation} is not there, or does not only observe`);
  return found;
}

export interface ContextOptions {
  readonly patienceMs?: number;
  readonly receipts?: string[];
  readonly approval?: CallContext['approval'];
  readonly idempotencyKey?: string;
}

/** A context such as the engine gives, approved by a person unless `approval` says otherwise. */
export function contextOf(world: TestWorld, options: ContextOptions = {}): CallContext {
  const ctx: CallContext = {
    now: world.now,
    signal: AbortSignal.timeout(options.patienceMs ?? PATIENCE_MS),
    idempotencyKey: options.idempotencyKey ?? 'run-1/contain/step-1',
    approval: options.approval === undefined ? { entries: [7], by: ['ada'] } : options.approval,
    secret: world.secret ?? (async () => Promise.reject(new Failure('missing', 'No secret came with this alert.'))),
    sink: (target) => {
      if (world.sink) return world.sink(target);
      const sink = world.connector.sinks.get(target.kind);
      if (!sink) throw new Failure('invalid', `There is no sink of kind ${target.kind}.`);
      return sink(ctx, target);
    },
    receipt: (requestId) => {
      if (requestId !== undefined) options.receipts?.push(requestId);
    },
  };
  return ctx;
}
