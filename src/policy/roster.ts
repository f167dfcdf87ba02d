import { z } from 'zod';
import { BadFile, parseJsonFile } from './json-file.ts';
import type { Person, Roster } from './policy.ts';
import { ROLES } from './rule.ts';

const id = z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, 'must be lower-case letters, digits, ".", "_" or "-"');

const person = z.strictObject({
  id,
  name: z.string().min(1),
  email: z.email('must be an e-mail address').optional(),
  roles: z.array(z.enum(ROLES)),
  slack: z
    .string()
    .regex(/^[UW][A-Z0-9]+$/, 'must be a Slack member id, such as U012AB3CD (Slack profile → ⋮ → Copy member ID)')
    .optional(),
  cli: z.string().min(1).optional(),
  console: z.string().min(1).optional(),
});

const WAYS_IN = ['slack', 'cli', 'console'] as const;

/**
 * The people of a TOURNIQUET_PEOPLE file: `[{ id, name, email?, roles, slack?, cli?, console? }]`, where `slack` is a member id,
 * `cli` an operating-system user and `console` a console user. Throws BadFile with every problem and its place.
 */
export function parsePeople(text: string, file = 'TOURNIQUET_PEOPLE'): readonly Person[] {
  const people = parseJsonFile(text, file, z.array(person)).map((entry): Person => {
    const { id, name, email, roles } = entry;
    const authn = WAYS_IN.flatMap((way) => (entry[way] === undefined ? [] : [`${way}:${entry[way]}`]));
    return { id, name, roles, authn, ...(email === undefined ? {} : { email }) };
  });
  const clashes = clashesAmong(people).map((clash) => `${file}: ${clash}`);
  if (clashes.length > 0) throw new BadFile(clashes);
  return people;
}

/** Throws BadFile when two people share an id or a way in: it would not be clear who acted. */
export function openRoster(people: readonly Person[]): Roster {
  const clashes = clashesAmong(people);
  if (clashes.length > 0) throw new BadFile(clashes);
  const byAuthn = new Map(people.flatMap((each) => each.authn.map((authn) => [authn, each] as const)));
  return { people, find: (authn) => byAuthn.get(authn) };
}

function clashesAmong(people: readonly Person[]): string[] {
  return [
    ...shared(people, ({ id }) => [`the id ${id}`]),
    ...shared(people, ({ authn }) => authn.map((each) => `the way in ${each}`)),
  ];
}

function shared(people: readonly Person[], namesOf: (each: Person) => readonly string[]): string[] {
  const owners = Map.groupBy(
    people.flatMap((each) => namesOf(each).map((name) => ({ name, owner: each.name }))),
    ({ name }) => name,
  );
  return [...owners]
    .filter(([, claims]) => claims.length > 1)
    .map(
      ([name, claims]) =>
        `${name} belongs to ${claims.map(({ owner }) => owner).join(' and ')}; it must be one person's`,
    );
}
