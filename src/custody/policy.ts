import { isCosignedBy } from './cosignature.ts';
import { BadNote, COSIGNATURE_V1, type Note, parseVkey, type VerifierKey } from './note.ts';

/**
 * Whom a verifier trusts, as https://c2sp.org/tlog-policy writes it: logs, witnesses, and how many of these must have seen a
 * checkpoint. It reaches the auditor by another way than the bundle: keys inside a bundle are never trusted.
 */
export interface Policy {
  readonly logs: readonly VerifierKey[];
  /** Undefined for `quorum none`: the log's own signature is enough. */
  readonly quorum: Quorum | undefined;
  /** Ours, beyond tlog-policy: `tsa NAME SHA256`. When there are any, one of them must have stamped the checkpoint (RFC 3161). */
  readonly authorities: readonly Authority[];
}

/** A time-stamping authority, known by the SHA-256, hex, of the DER of its certificate. */
export interface Authority {
  readonly name: string;
  readonly certificate: string;
}

export type Quorum =
  | { readonly kind: 'witness'; readonly name: string; readonly key: VerifierKey }
  | { readonly kind: 'group'; readonly name: string; readonly threshold: number; readonly members: readonly Quorum[] };

/** A policy that trusts one log by its own signature alone. */
export const formatPolicy = (vkey: string): string => `log ${vkey}\nquorum none\n`;

/** Throws BadNote, naming the line, for anything that the format does not allow, and when no log is named. */
export function parsePolicy(text: string): Policy {
  const logs: VerifierKey[] = [];
  const named = new Map<string, Quorum>();
  const grouped = new Set<string>();
  let quorum: Policy['quorum'] | 'missing' = 'missing';
  const keys = new Set<string>();
  const authorities: Authority[] = [];

  for (const [i, line] of text.split('\n').entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== '');
    const [keyword, ...args] = words;
    if (keyword === undefined || keyword.startsWith('#')) continue;
    const wrong = (what: string) => new BadNote(`Policy, line ${i + 1}: ${what}`);
    const define = (name: string, member: Quorum) => {
      if (name === 'none' || named.has(name)) throw wrong(`the name ${name} is taken`);
      named.set(name, member);
    };
    const known = (name: string): Quorum => {
      const member = named.get(name);
      if (!member) throw wrong(`${name} is not defined on a line before it`);
      return member;
    };
    const once = (vkey: string, algorithm: number): VerifierKey => {
      const key = readKey(vkey, algorithm, wrong);
      const raw = key.publicKey.export({ format: 'der', type: 'spki' }).toString('hex');
      if (keys.has(`${algorithm} ${raw}`)) throw wrong(`the key of ${key.name} is there twice`);
      keys.add(`${algorithm} ${raw}`);
      return key;
    };
    switch (keyword) {
      case 'log': {
        const [vkey, _url, ...rest] = args;
        if (!vkey || rest.length > 0) throw wrong('a log is written "log VKEY [URL]"');
        const key = once(vkey, 0x01);
        if (logs.some(({ name }) => name === key.name)) throw wrong(`the log ${key.name} is named with two keys`);
        logs.push(key);
        break;
      }
      case 'witness': {
        const [name, vkey, _url, ...rest] = args;
        if (!name || !vkey || rest.length > 0) throw wrong('a witness is written "witness NAME VKEY [URL]"');
        define(name, { kind: 'witness', name, key: once(vkey, COSIGNATURE_V1) });
        break;
      }
      case 'group': {
        const [name, count, ...members] = args;
        if (!name || !count || members.length === 0) throw wrong('a group is written "group NAME all|any|K MEMBER..."');
        for (const member of members) {
          if (grouped.has(member)) throw wrong(`${member} is a member twice`);
          grouped.add(member);
        }
        const threshold = count === 'any' ? 1 : count === 'all' ? members.length : decimal(count);
        if (threshold < 1 || threshold > members.length)
          throw wrong(`${count} of ${members.length} members is not possible`);
        define(name, { kind: 'group', name, threshold, members: members.map(known) });
        break;
      }
      case 'quorum': {
        const [name, ...rest] = args;
        if (!name || rest.length > 0) throw wrong('the quorum is written "quorum NAME" or "quorum none"');
        if (quorum !== 'missing') throw wrong('there is more than one quorum line');
        quorum = name === 'none' ? undefined : known(name);
        break;
      }
      case 'tsa': {
        const [name, certificate, ...rest] = args;
        if (!name || !certificate || rest.length > 0 || !/^[0-9a-f]{64}$/.test(certificate))
          throw wrong('an authority is written "tsa NAME SHA256", the hash of its certificate in lower-case hex');
        if (authorities.some((each) => each.name === name)) throw wrong(`the authority ${name} is there twice`);
        authorities.push({ name, certificate });
        break;
      }
      default:
        throw wrong(`"${keyword}" is none of log, witness, group, quorum, tsa`);
    }
  }
  if (logs.length === 0) throw new BadNote('The policy names no log, so nothing could verify: add a line "log VKEY"');
  if (quorum === 'missing')
    throw new BadNote('The policy has no quorum line: add "quorum none" to rely on the log alone');
  return { logs, quorum, authorities };
}

/** The witnesses whose cosignatures fulfil `quorum`, or undefined when they do not suffice. */
export function witnessesOf(note: Note, quorum: Quorum): readonly string[] | undefined {
  switch (quorum.kind) {
    case 'witness':
      return isCosignedBy(note, quorum.key) ? [quorum.name] : undefined;
    case 'group': {
      const seen = quorum.members.map((member) => witnessesOf(note, member)).filter((names) => names !== undefined);
      return seen.length >= quorum.threshold ? seen.flat() : undefined;
    }
  }
}

function readKey(vkey: string, algorithm: number, wrong: (what: string) => BadNote): VerifierKey {
  try {
    return parseVkey(vkey, [algorithm]);
  } catch (error) {
    if (error instanceof BadNote) throw wrong(error.message);
    throw error;
  }
}

const decimal = (text: string): number => (/^[1-9][0-9]{0,3}$/.test(text) ? Number(text) : 0);
