import { milliseconds } from './duration.ts';
import type { Json, JsonObject } from './json.ts';
import type { ApprovalRule, Phase, PlannedPhase, PlannedStep } from './plan.ts';
import { type AnyStep, refOf, type Step, type Steps } from './runbook.ts';

/** How a plan's input says "the output of an earlier step". */
export interface OutRef {
  readonly $out: string;
  readonly field: string;
}

/** A runbook that cannot be turned into data. The message names the step and what is wrong with it. */
export class PlanError extends Error {
  override readonly name = 'PlanError';
}

/**
 * Turns what a runbook wrote into plan data: steps get their ids (`contain/disable`, `contain/sessions.2`) and references become
 * `{ $out, field }`. Throws PlanError when a reference points to a step that does not come earlier, or an input is not JSON.
 */
export function layOut(phases: readonly { readonly phase: Phase; readonly steps: Steps }[]): Map<Phase, PlannedStep[]> {
  const ids = new Map<AnyStep, string>();
  return new Map(
    phases.map(({ phase, steps }) => [
      phase,
      entriesOf(phase, steps).map(([id, written]) => {
        const planned = plannedStep(id, written, ids);
        ids.set(written, id);
        return planned;
      }),
    ]),
  );
}

export const phaseOf = (phase: Phase, steps: readonly PlannedStep[], approval: ApprovalRule): PlannedPhase => ({
  phase,
  approval,
  steps,
});

function entriesOf(phase: Phase, steps: Steps): [string, AnyStep][] {
  return Object.entries(steps).flatMap(([name, written]): [string, AnyStep][] => {
    if (written === undefined) return [];
    if (isList(written)) return written.map((each, index) => [`${phase}/${name}.${index + 1}`, each]);
    return [[`${phase}/${name}`, written]];
  });
}

const isList = (written: AnyStep | readonly AnyStep[]): written is readonly AnyStep[] => Array.isArray(written);

function plannedStep(id: string, written: AnyStep, ids: ReadonlyMap<AnyStep, string>): PlannedStep {
  const { title } = written;
  switch (written.kind) {
    case 'call': {
      const { op, because, otherwise } = written;
      const input = dataOf(written.input, id, ids);
      const common = { kind: 'call', id, title, op, input } as const;
      if (written.effect === 'unavoidable') return { ...common, effect: 'irreversible', unavoidable: because ?? '' };
      if (otherwise === undefined) return { ...common, effect: written.effect };
      return { ...common, effect: written.effect, otherwise: dataOf(otherwise, id, ids) };
    }
    case 'confirm': {
      const { op, expect, within, settle } = written;
      const input = dataOf(written.input, id, ids);
      return {
        kind: 'confirm',
        id,
        title,
        op,
        input,
        expect,
        withinMs: milliseconds(within),
        settleMs: milliseconds(settle),
      };
    }
    case 'guided': {
      const { instructions, link, asks } = written;
      return { kind: 'guided', id, title, instructions, asks, ...(link === undefined ? {} : { link }) };
    }
    case 'wait':
      return { kind: 'wait', id, title, forMs: milliseconds(written.for) };
  }
}

function dataOf(value: unknown, id: string, ids: ReadonlyMap<AnyStep, string>): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      if (!Number.isSafeInteger(value))
        throw new PlanError(`${id}: the input holds ${value}; numbers must be safe integers`);
      return value;
    case 'object': {
      if (value === null) return null;
      if (Array.isArray(value)) return value.map((each: unknown) => dataOf(each, id, ids));
      const ref = refOf(value);
      if (ref) return { ...outRef(ref.step, ref.field, id, ids) };
      const members = Object.entries(value).filter(([, member]) => member !== undefined);
      if (members.some(([key]) => key === '$out'))
        throw new PlanError(`${id}: the input holds "$out", which is reserved`);
      return Object.fromEntries(members.map(([key, member]): [string, Json] => [key, dataOf(member, id, ids)]));
    }
    default:
      throw new PlanError(`${id}: the input holds a ${typeof value}; a step is data`);
  }
}

function outRef(from: Step, field: string, id: string, ids: ReadonlyMap<AnyStep, string>): OutRef {
  const source = ids.get(from);
  if (!source)
    throw new PlanError(`${id}: refers to the output of "${from.title}", which does not come earlier in the plan`);
  return { $out: source, field };
}

/** The steps whose outputs `input` refers to. */
export function referencesIn(input: Json): readonly string[] {
  if (input === null || typeof input !== 'object') return [];
  if (isOutRef(input)) return [input.$out];
  return Object.values(input).flatMap((member) => (member === undefined ? [] : referencesIn(member)));
}

/** `input` with every reference replaced by what that step gave. Throws PlanError when a step gave no such field. */
export function resolve(input: Json, outputs: ReadonlyMap<string, Json>): Json {
  if (input === null || typeof input !== 'object') return input;
  if (isArray(input)) return input.map((each) => resolve(each, outputs));
  if (isOutRef(input)) {
    const output = outputs.get(input.$out);
    const value = isObject(output) ? output[input.field] : undefined;
    if (value === undefined) throw new PlanError(`${input.$out} gave no "${input.field}"`);
    return value;
  }
  return Object.fromEntries(
    Object.entries(input).flatMap(([key, member]): [string, Json][] =>
      member === undefined ? [] : [[key, resolve(member, outputs)]],
    ),
  );
}

const isArray = (value: Json): value is readonly Json[] => Array.isArray(value);
const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isOutRef = (value: object): value is OutRef => '$out' in value && 'field' in value;
