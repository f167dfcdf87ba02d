/**
 * POSIX ustar archives of which every byte is determined by the names and contents: owner, mode and time are constants, files
 * are in byte order of their names, two zero blocks end it and nothing follows. Any `tar` reads them; only `readTar` insists.
 * A library's headers could change with its next version, and a bundle must verify for years: hence by hand.
 */

const BLOCK = 512;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]*(\/[A-Za-z0-9][A-Za-z0-9._-]*)*$/;
const END = Buffer.alloc(2 * BLOCK);
const ZERO = Buffer.alloc(BLOCK);
const TEMPLATE = template();

export interface TarFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** An archive that `packTar` would not have written; `where` says at which byte. */
export class BadTar extends Error {
  override readonly name = 'BadTar';
  readonly where: string;
  constructor(message: string, where: string) {
    super(message);
    this.where = where;
  }
}

/** The one archive that holds `files`. Throws a RangeError for a name that ustar cannot hold or that occurs twice. */
export function packTar(files: readonly TarFile[]): Buffer {
  const sorted = files.toSorted((a, b) => compare(a.name, b.name));
  sorted.forEach(({ name }, i) => {
    if (!NAME.test(name) || name.length > 100) throw new RangeError(`"${name}" cannot name a file in a bundle`);
    if (sorted[i - 1]?.name === name) throw new RangeError(`"${name}" would be in the bundle twice`);
  });
  return Buffer.concat([
    ...sorted.flatMap(({ name, bytes }) => [header(name, bytes.length), bytes, padding(bytes.length)]),
    END,
  ]);
}

/** The files of an archive that `packTar` wrote. Throws BadTar at the first byte that it would have written otherwise. */
export function readTar(archive: Buffer): readonly TarFile[] {
  const files: TarFile[] = [];
  let at = 0;
  while (!isZero(archive.subarray(at, at + BLOCK))) {
    const name = readHeader(archive, at);
    const size = sizeOf(archive, at);
    const previous = files.at(-1)?.name;
    if (previous !== undefined && compare(previous, name) >= 0) {
      throw new BadTar(`${name} is there twice or out of order`, `${name}, header at byte ${at}`);
    }
    const from = at + BLOCK;
    const to = from + size;
    const next = to + padding(size).length;
    if (next > archive.length)
      throw new BadTar('The archive ends in the middle of a file', `${name}, byte ${archive.length}`);
    const gap = archive.subarray(to, next);
    const dirty = gap.equals(ZERO.subarray(0, gap.length)) ? -1 : gap.findIndex((byte) => byte !== 0);
    if (dirty >= 0)
      throw new BadTar('There is something in the padding after a file', `after ${name}, byte ${to + dirty}`);
    files.push({ name, bytes: archive.subarray(from, to) });
    at = next;
  }
  const rest = archive.subarray(at);
  if (!rest.equals(END)) {
    const dirty = rest.findIndex((byte) => byte !== 0);
    throw new BadTar(
      'The archive does not end as it should: cut short, or something was put behind its end',
      `byte ${at + (dirty >= 0 ? dirty : Math.min(rest.length, END.length))}`,
    );
  }
  return files;
}

function readHeader(archive: Buffer, at: number): string {
  const block = archive.subarray(at, at + BLOCK);
  const end = block.indexOf(0);
  const name = block.subarray(0, Math.min(end < 0 ? 100 : end, 100)).toString('latin1');
  if (block.length < BLOCK || !NAME.test(name)) {
    throw new BadTar(
      'This is not a custody bundle, or it is damaged: no file header where one should be',
      `byte ${at}`,
    );
  }
  const written = header(name, sizeOf(archive, at));
  if (written.equals(block)) return name;
  const wrong = written.findIndex((byte, i) => byte !== block[i]);
  throw new BadTar('A file header is not as it was written', `header of ${name}, byte ${at + wrong}`);
}

function sizeOf(archive: Buffer, at: number): number {
  const field = archive.subarray(at + 124, at + 136).toString('latin1');
  return /^[0-7]{11}\0$/.test(field) ? Number.parseInt(field, 8) : 0;
}

/** IEEE Std 1003.1, pax: the ustar header block. */
function header(name: string, size: number): Buffer {
  const block = Buffer.from(TEMPLATE);
  block.write(name, 0, 'latin1');
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  let sum = 0;
  for (let i = 0; i < BLOCK; i += 1) sum += block[i] ?? 0;
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

/** What is the same in every header. */
function template(): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write('0000644\0', 100, 'latin1'); // mode
  block.write('0000000\0', 108, 'latin1'); // owner
  block.write('0000000\0', 116, 'latin1'); // group
  block.write('00000000000\0', 136, 'latin1'); // time of change
  block.fill(' ', 148, 156); // the checksum is made over spaces in its place
  block.write('0', 156, 'latin1'); // a regular file
  block.write('ustar\x0000', 257, 'latin1');
  return block;
}

const padding = (size: number): Buffer => Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
const compare = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const isZero = (block: Buffer): boolean => block.equals(ZERO);
