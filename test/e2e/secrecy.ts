import type { Report } from './report.ts';

export interface Place {
  readonly name: string;
  readonly bytes: Buffer;
}

/**
 * Checks that none of `secrets` stands in any of `places`, in the clear or encoded. `known` is something that must be found in all of
 * them together: it shows that the search can find.
 */
export function checkSecrecy(
  report: Report,
  places: readonly Place[],
  { secrets, known }: { readonly secrets: Readonly<Record<string, string>>; readonly known: string },
): void {
  const where = (text: string): string[] =>
    places.filter(({ bytes }) => disguises(text).some((form) => bytes.includes(form))).map(({ name }) => name);
  const control = where(known);
  report.check(
    `The search for secrets finds what it should find: ${known}, in ${control.join(', ')}`,
    control.length > 0,
  );
  for (const [name, secret] of Object.entries(secrets)) {
    const found = where(secret);
    report.check(
      `The ${name} is in none of ${places.length} places: ${places.map((place) => place.name).join(', ')}`,
      secret.length >= 16 && found.length === 0,
      `It is in ${found.join(', ') || 'none, but it is too short to be searched for'}`,
    );
  }
}

/** The forms that a secret takes when someone did not think of it. */
function disguises(text: string): string[] {
  const base64 = [0, 1, 2].map((shift) => {
    const encoded = Buffer.concat([Buffer.alloc(shift), Buffer.from(text)]).toString('base64');
    return encoded.slice(shift === 0 ? 0 : 4, -4); // without what its neighbours have a part in
  });
  return [text, encodeURIComponent(text), Buffer.from(text).toString('hex'), ...base64];
}
