import type { Connector, Env } from '../core/connector.ts';
import type { Problem } from './reader.ts';
import { settingsTable } from './settings.ts';

/** What is wrong with the settings of a connector that someone meant to configure. */
export function connectorProblems(connector: Connector, env: Env): Problem[] {
  if (!connector.configured(env)) return [];
  const parsed = connector.settings.safeParse(env);
  if (parsed.success) return [];
  const about = new Map(settingsTable([connector]).map((setting) => [setting.name, setting.about]));
  return parsed.error.issues.map(({ path, message }) => {
    const variable = path[0] === undefined ? connector.title : String(path[0]);
    const missing = env[variable] === undefined && /received undefined/.test(message);
    const meaning = about.get(variable);
    return {
      variable,
      wrong: missing ? `is missing; other settings of ${connector.title} are there` : message,
      remedy: meaning ? `It is: ${meaning}.` : `See the settings of ${connector.title} in the README.`,
    };
  });
}

/** A misspelt setting must not leave a safeguard quietly at its default. */
export const unknownVariables = (env: Env, known: ReadonlySet<string>): Problem[] =>
  Object.keys(env)
    .filter((name) => name.startsWith('TOURNIQUET_') && !known.has(name))
    .map((variable) => ({
      variable,
      wrong: 'is not a setting',
      remedy: 'Look for a spelling mistake, or unset it.',
    }));

/** The last guard: whatever a schema says of a value, a secret does not leave in a message. */
export function withoutSecrets({ variable, wrong, remedy }: Problem, secrets: readonly string[]): Problem {
  const scrub = (text: string): string =>
    hideable(secrets).reduce((rest, secret) => rest.replaceAll(secret, '•••'), text);
  return { variable, wrong: scrub(wrong), remedy: scrub(remedy) };
}

/** Shorter ones are no secrets, and taking them out would only garble the words. */
const hideable = (secrets: readonly string[]): string[] => secrets.filter((secret) => secret.trim().length >= 4);
