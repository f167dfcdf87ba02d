import type { z } from 'zod';
import { placesIn } from './json-places.ts';

/** A configuration file that cannot be used. Each problem names the file, line and column. */
export class BadFile extends Error {
  override readonly name = 'BadFile';
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** `text` as JSON of this schema. Throws BadFile with everything that is wrong, as `file:3:12: [2].roles[0]: what`. */
export function parseJsonFile<T>(text: string, file: string, schema: z.ZodType<T>): T {
  const places = placesIn(text);
  if (!places.ok) throw new BadFile([`${file}:${lineColumn(text, places.at)}: this is not JSON: ${places.what}`]);
  const parsed = schema.safeParse(jsonOf(text, file));
  if (parsed.success) return parsed.data;
  throw new BadFile(
    parsed.error.issues.map(
      ({ path, message }) => `${file}:${lineColumn(text, places.at(path))}: ${nameOf(path)}${message}`,
    ),
  );
}

/** Numbers and escapes that only look like JSON get past `placesIn`, not past this. */
function jsonOf(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) throw new BadFile([`${file}: this is not JSON: ${error.message}`]);
    throw error;
  }
}

function lineColumn(text: string, offset: number): string {
  const before = text.slice(0, offset);
  return `${before.split('\n').length}:${before.length - before.lastIndexOf('\n')}`;
}

const nameOf = (path: readonly PropertyKey[]): string => {
  if (path.length === 0) return '';
  const name = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return `${name.replace(/^\./, '')}: `;
};
