/** Where in a JSON text its values stand, and where it stops being JSON. */
export type Places =
  | { readonly ok: true; readonly at: (path: readonly PropertyKey[]) => number }
  | { readonly ok: false; readonly at: number; readonly what: string };

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /"(?:[^"\\\n]|\\.)*"|-?\d[\d.eE+-]*|true|false|null/y;

class Wrong extends Error {
  readonly at: number;
  constructor(at: number, what: string) {
    super(what);
    this.at = at;
  }
}

/**
 * Walks `text` for the offsets of its values; JSON.parse, which reads the values, often does not say where it stopped.
 * A member that is given twice is an error: JSON.parse would silently let the last one win.
 */
export function placesIn(text: string): Places {
  const starts = new Map<string, number>();
  let i = 0;
  const scan = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = i;
    const found = pattern.exec(text)?.[0];
    i += found?.length ?? 0;
    return found;
  };
  const taken = (char: string): boolean => {
    scan(SPACE);
    if (text[i] !== char) return false;
    i += 1;
    return true;
  };
  const expect = (char: string, what: string): void => {
    if (!taken(char)) throw new Wrong(i, what);
  };
  const value = (path: string): void => {
    scan(SPACE);
    starts.set(path, i);
    if (taken('{')) members(path);
    else if (taken('[')) elements(path);
    else if (scan(SCALAR) === undefined) throw new Wrong(i, 'a value was expected');
  };
  const members = (path: string): void => {
    if (taken('}')) return;
    do {
      scan(SPACE);
      const start = i;
      const name = text[i] === '"' ? scan(SCALAR) : undefined;
      if (name === undefined) throw new Wrong(i, 'a name in double quotes was expected');
      const member = `${path}/${name.slice(1, -1)}`;
      if (starts.has(member)) throw new Wrong(start, `${name} is given twice`);
      expect(':', 'a colon was expected');
      value(member);
    } while (taken(','));
    expect('}', 'a comma or } was expected');
  };
  const elements = (path: string): void => {
    if (taken(']')) return;
    let index = 0;
    do {
      value(`${path}/${index}`);
      index += 1;
    } while (taken(','));
    expect(']', 'a comma or ] was expected');
  };
  try {
    value('');
    scan(SPACE);
    if (i < text.length) throw new Wrong(i, 'something follows the end');
  } catch (error) {
    if (error instanceof Wrong) return { ok: false, at: error.at, what: error.message };
    throw error;
  }
  return { ok: true, at: (path) => nearest(starts, path) };
}

/** A value that is missing has no place: its object's is the next best. */
function nearest(starts: ReadonlyMap<string, number>, path: readonly PropertyKey[]): number {
  const at = starts.get(path.map((part) => `/${String(part)}`).join(''));
  return at === undefined && path.length > 0 ? nearest(starts, path.slice(0, -1)) : (at ?? 0);
}
