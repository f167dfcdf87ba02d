import { readCheckpoint } from '../checkpoint.ts';
import { cosignatureBy } from '../cosignature.ts';
import type { Hash } from '../merkle.ts';
import { BadNote, COSIGNATURE_V1, parseSignatures, parseVkey, signatureLine, type VerifierKey } from '../note.ts';
import { formatConsistency } from '../proof.ts';

/** A witness as it is configured: whom to ask, and the key that its answers must be signed with. */
export interface WitnessPeer {
  readonly key: VerifierKey;
  /** Its submission prefix, without a slash at the end. */
  readonly url: string;
}

/** What a witness answered. Everything but `cosigned` leaves the checkpoint without its signature. */
export type WitnessAnswer =
  | { readonly is: 'cosigned'; readonly line: string }
  /** It last saw the log at another size than we said: ask again from there. */
  | { readonly is: 'elsewhere'; readonly size: number }
  /** It holds that this log was rewritten, or does not know it. */
  | { readonly is: 'refused'; readonly because: string }
  /** No answer, or none that makes sense: ask again later. */
  | { readonly is: 'unreachable'; readonly because: string };

const MAX_ANSWER = 64 * 1024;

/**
 * Reads `VKEY URL` pairs, separated by commas or newlines. Throws BadNote, naming the pair, for a key that is not a witness's
 * (tlog-cosignature, Ed25519), an address that is not HTTP, or a witness that is there twice.
 */
export function parseWitnesses(text: string): readonly WitnessPeer[] {
  const peers = text
    .split(/[,\n]/)
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [vkey, url, ...rest] = pair.split(/\s+/);
      if (!vkey || !url || rest.length > 0)
        throw new BadNote(`"${pair}" is not a witness: write its key and its address, VKEY URL`);
      if (!/^https?:\/\//.test(url) || !URL.canParse(url))
        throw new BadNote(`"${url}" is not the address of a witness`);
      return { key: parseVkey(vkey, [COSIGNATURE_V1]), url: url.replace(/\/+$/, '') };
    });
  const twice = peers.find(({ key }, i) => peers.findIndex((other) => other.key.name === key.name) !== i);
  if (twice) throw new BadNote(`The witness ${twice.key.name} is there twice`);
  return peers;
}

export interface Submission {
  /** The size at which the witness last saw the log, as far as we know. */
  readonly old: number;
  /** From there to the checkpoint. */
  readonly proof: readonly Hash[];
  /** The signed note. */
  readonly checkpoint: string;
}

/** Asks for a cosignature (https://c2sp.org/tlog-witness, add-checkpoint). Never rejects: a witness that fails is an answer too. */
export async function askWitness(
  peer: WitnessPeer,
  submission: Submission,
  fetch: typeof globalThis.fetch,
  signal: AbortSignal,
): Promise<WitnessAnswer> {
  const { old, proof, checkpoint } = submission;
  try {
    const response = await fetch(`${peer.url}/add-checkpoint`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain; charset=utf-8' },
      body: formatConsistency({ index: old, proof, checkpoint }),
      redirect: 'error',
      signal,
    });
    const text = await response.text();
    if (text.length > MAX_ANSWER) return { is: 'unreachable', because: 'its answer is too long' };
    return understand(peer, checkpoint, response, text);
  } catch (error) {
    return { is: 'unreachable', because: causeOf(error) };
  }
}

function understand(peer: WitnessPeer, checkpoint: string, response: Response, text: string): WitnessAnswer {
  switch (response.status) {
    case 200:
      return accept(peer, checkpoint, text);
    case 409: {
      const isSize = response.headers.get('content-type')?.split(';')[0] === 'text/x.tlog.size';
      if (isSize && /^(0|[1-9][0-9]{0,15})\n$/.test(text)) return { is: 'elsewhere', size: Number(text) };
      return { is: 'refused', because: 'it has seen another root for a log of this size: the history was rewritten' };
    }
    case 403:
      return { is: 'refused', because: 'it does not know the key that signed the checkpoint' };
    case 404:
      return { is: 'refused', because: 'it does not know this log' };
    case 422:
      return {
        is: 'refused',
        because: 'what it saw before is not the beginning of this log: the history was rewritten',
      };
    default:
      return { is: 'unreachable', because: `it answered with HTTP ${response.status}` };
  }
}

/** Takes the one line that is signed with the witness's key, and no other. */
function accept({ key }: WitnessPeer, checkpoint: string, text: string): WitnessAnswer {
  const { note } = readCheckpoint(Buffer.from(checkpoint));
  const signature = cosignatureBy({ text: note.text, signatures: parseSignatures(text) }, key);
  return signature
    ? { is: 'cosigned', line: signatureLine(signature, signature.bytes) }
    : { is: 'unreachable', because: `its answer carries no valid cosignature of ${key.name}+${key.hash}` };
}

/** "fetch failed" hides the reason in its cause. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
