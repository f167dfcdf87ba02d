import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from '../../src/custody/checkpoint.ts';
import { EMPTY_ROOT } from '../../src/custody/merkle.ts';
import { isSignedBy, parseNote, parseVkey } from '../../src/custody/note.ts';
import { formatPolicy, parsePolicy } from '../../src/custody/policy.ts';
import { fileSigner, generateSigner } from '../../src/custody/signer.ts';

const seed = (n: number) => new Uint8Array(32).fill(n);
const signer = generateSigner('example.org/log', seed(1));
const other = generateSigner('example.org/log', seed(2));
const key = parseVkey(signer.vkey);
const checkpoint = { origin: 'example.org/log', size: 12, root: EMPTY_ROOT };
const note = signCheckpoint(checkpoint, signer);

describe('a checkpoint', () => {
  it('opens under the key that signed it and under no other', () => {
    expect(openCheckpoint(Buffer.from(note), key)).toMatchObject(checkpoint);
    expect(() => openCheckpoint(Buffer.from(note), parseVkey(other.vkey))).toThrow('does not carry a valid signature');
    expect(() => openCheckpoint(Buffer.from(note), parseVkey(generateSigner('example.org/b').vkey))).toThrow(
      'not of example.org/b',
    );
  });

  it('does not open with any single byte changed', () => {
    const bytes = Buffer.from(note);
    for (let i = 0; i < bytes.length; i += 1) {
      const changed = Buffer.from(bytes);
      changed[i] = (changed[i] ?? 0) ^ 0x01;
      expect(() => openCheckpoint(changed, key), `byte ${i}`).toThrow();
    }
  });

  it.each([
    ['an extension line', `${formatCheckpoint(checkpoint)}extra\n`],
    ['a size with a leading zero', formatCheckpoint(checkpoint).replace('\n12\n', '\n012\n')],
    ['a size beyond safe integers', formatCheckpoint(checkpoint).replace('\n12\n', '\n9999999999999999\n')],
    ['a negative size', formatCheckpoint(checkpoint).replace('\n12\n', '\n-1\n')],
    ['a short root', formatCheckpoint(checkpoint).replace(/.{4}\n$/, '\n')],
    ['base64 with spare bits set', formatCheckpoint(checkpoint).replace(/.=\n$/, 'V=\n')],
    ['no final newline', formatCheckpoint(checkpoint).slice(0, -1)],
    ['no origin', formatCheckpoint({ ...checkpoint, origin: '' })],
  ])('is refused with %s', (_what, text) => {
    expect(() => parseCheckpoint(text)).toThrow();
  });

  it('is refused with two signatures of one key, or a bad one beside a good one', () => {
    const line = note.split('\n').at(-2) ?? '';
    const forged =
      signCheckpoint({ ...checkpoint, size: 13 }, signer)
        .split('\n')
        .at(-2) ?? '';
    expect(isSignedBy(parseNote(Buffer.from(`${note}${line}\n`)), key)).toBe(false);
    expect(isSignedBy(parseNote(Buffer.from(`${note}${forged}\n`)), key)).toBe(false);
  });

  it('may carry signatures of strangers, which are ignored', () => {
    const stranger = signCheckpoint(checkpoint, generateSigner('example.org/stranger', seed(3)))
      .split('\n')
      .at(-2);
    expect(isSignedBy(parseNote(Buffer.from(`${note}${stranger}\n`)), key)).toBe(true);
  });
});

describe('a verifier key', () => {
  it.each([
    ['another name', signer.vkey.replace('example.org', 'example.com')],
    ['another hash', signer.vkey.replace(/\+[0-9a-f]{8}\+/, '+00000000+')],
    ['a cut key', signer.vkey.slice(0, -4)],
    ['a space', `${signer.vkey} `],
    ['no parts', 'nothing'],
  ])('is refused with %s', (_what, vkey) => {
    expect(() => parseVkey(vkey)).toThrow();
  });

  it('has no name with spaces or plus signs', () => {
    expect(() => generateSigner('a log')).toThrow('neither spaces nor plus signs');
    expect(() => generateSigner('a+log')).toThrow('neither spaces nor plus signs');
  });
});

describe('the key file', () => {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
  });
  async function keyFile(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'tourniquet-key-'));
    folders.push(folder);
    return join(folder, 'log.key');
  }

  it('is created for its owner alone and gives the same key again', async () => {
    const file = await keyFile();
    const first = fileSigner(file, 'example.org/log');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(fileSigner(file, 'example.org/log').vkey).toBe(first.vkey);
  });

  it('is refused when others may read it', async () => {
    const file = await keyFile();
    fileSigner(file, 'example.org/log');
    await chmod(file, 0o640);
    expect(() => fileSigner(file, 'example.org/log')).toThrow('can be read by others (mode 640)');
  });

  it('is refused for another log', async () => {
    const file = await keyFile();
    fileSigner(file, 'example.org/log');
    expect(() => fileSigner(file, 'example.org/drill')).toThrow('belongs to the log example.org/log');
  });

  it('is refused when damaged, by a message that does not hold it', async () => {
    const file = await keyFile();
    fileSigner(file, 'example.org/log');
    const secret = (await readFile(file, 'utf8')).trim().split('+').slice(4).join('+');
    await writeFile(file, `PRIVATE+KEY+example.org/log+00000000+${secret}\n`);
    expect(() => fileSigner(file, 'example.org/log')).toThrow('is damaged');
    expect(() => fileSigner(file, 'example.org/log')).not.toThrow(secret);
  });
});

describe('a policy', () => {
  it('made for a key trusts that log and demands no witness', () => {
    const policy = parsePolicy(formatPolicy(signer.vkey));
    expect(policy.logs.map(({ name, hash }) => [name, hash])).toEqual([[key.name, key.hash]]);
    expect(policy.quorum).toBeUndefined();
  });

  it('may hold comments, blank lines, tabs and a URL', () => {
    expect(parsePolicy(`# ours\n\n\tlog ${signer.vkey}\thttps://log.example.org \n quorum  none\n`).logs).toHaveLength(
      1,
    );
  });

  it.each([
    ['no log', 'quorum none\n', 'names no log'],
    ['no quorum', `log ${signer.vkey}\n`, 'no quorum line'],
    ['two quorums', `${formatPolicy(signer.vkey)}quorum none\n`, 'line 3: there is more than one quorum'],
    ['an undefined quorum', `log ${signer.vkey}\nquorum w1\n`, 'line 2: w1 is not defined'],
    ['an unknown word', `${formatPolicy(signer.vkey)}logs x\n`, 'line 3: "logs" is none of'],
    [
      'the same log twice',
      `log ${signer.vkey}\n${formatPolicy(signer.vkey)}`,
      'line 2: the key of example.org/log is there twice',
    ],
    [
      'two keys for one log',
      `log ${other.vkey}\n${formatPolicy(signer.vkey)}`,
      'line 2: the log example.org/log is named with two keys',
    ],
    ['a damaged key', formatPolicy(signer.vkey.slice(0, -1)), 'line 1: '],
    ['too much on a line', `log ${signer.vkey} https://a b\nquorum none\n`, 'line 1: a log is written'],
    ['a log key as witness', `${`log ${signer.vkey}\nwitness w ${other.vkey}\n`}quorum w\n`, 'line 2: '],
    ['a group of nobody', `log ${signer.vkey}\ngroup g any\nquorum g\n`, 'line 2: a group is written'],
  ])('is refused with %s', (_what, text, message) => {
    expect(() => parsePolicy(text)).toThrow(message);
  });
});
