import { readdirSync } from 'node:fs';
import type { Scenario } from './scenario.ts';

const HOME = new URL('../../runbooks/drills/', import.meta.url);

/** The names of the drills there are. */
export const scenarioNames = (): readonly string[] =>
  readdirSync(HOME)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();

/** The scenario called `name`, or null when there is none. Rejects when its file exports no scenario of that name. */
export async function loadScenario(name: string): Promise<Scenario | null> {
  if (!scenarioNames().includes(name)) return null;
  const exported: Readonly<Record<string, unknown>> = await import(new URL(`${name}.ts`, HOME).href);
  const scenario = Object.values(exported).find(isScenario);
  if (scenario?.name !== name) throw new Error(`runbooks/drills/${name}.ts exports no scenario named "${name}".`);
  return scenario;
}

const isScenario = (value: unknown): value is Scenario =>
  typeof value === 'object' && value !== null && 'stage' in value && 'brief' in value && 'name' in value;
