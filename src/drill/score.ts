import type { IncidentView } from '../incident/view.ts';
import type { Staged } from './scenario.ts';

export interface Mark {
  readonly title: string;
  readonly met: boolean;
}

/** How the drill went. It counts only what the providers and the evidence show. */
export interface Score {
  readonly marks: readonly Mark[];
  readonly met: number;
  readonly of: number;
}

/** What is searched for planted secrets, by name: the database file, the bundle, the terminal's own lines. */
export type Searched = Readonly<Record<string, Buffer>>;

/** Scores an incident that is over. `verified` is whether an offline verifier accepted the bundle. */
export function scoreOf(
  incident: IncidentView,
  { objectives, secrets }: Staged,
  { searched, verified }: { readonly searched: Searched; readonly verified: boolean },
): Score {
  const leaks = Object.entries(searched).filter(([, bytes]) => secrets.some((secret) => bytes.includes(secret)));
  const marks: Mark[] = [
    ...objectives.map(({ title, met }) => ({ title, met: met(incident) })),
    {
      title:
        leaks.length === 0
          ? 'The secret appears in no ledger, database, bundle or message'
          : `The secret appears in: ${leaks.map(([name]) => name).join(', ')}`,
      met: leaks.length === 0,
    },
    { title: 'An offline verifier accepts the evidence', met: verified },
  ];
  return { marks, met: marks.filter((mark) => mark.met).length, of: marks.length };
}
