import type { Clue } from '../core/finding.ts';
import { recognise } from '../ingest/patterns.ts';

export const UNKNOWN_CLUE =
  'That is no credential that Tourniquet knows how to look up. Give an AWS access key id (AKIA…), a GitHub token, ' +
  'a secret scanning alert (owner/repo#12), or kind:id as the inventory names it (aws.role-session:ASIA…).';

const ALERT = /^([\w.-]{1,100})\/([\w.-]{1,100})#(\d{1,9})$/;
const KIND_AND_ID = /^([a-z]+\.[a-z-]+):(\S{1,500})$/;

/** The clue in what a person typed to name a credential; null when it names none. */
export function clueFrom(text: string): Clue | null {
  const typed = text.trim();
  const [, owner, repo, number] = ALERT.exec(typed) ?? [];
  if (owner && repo && number)
    return { kind: 'github.secret-scanning-alert', id: typed, where: { owner, repo, number: Number(number) } };
  const recognised = recognise([typed]);
  if (recognised.is === 'known') return recognised.clue;
  const [, kind, id] = KIND_AND_ID.exec(typed) ?? [];
  return kind && id ? { kind, id } : null;
}
