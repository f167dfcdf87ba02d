import { NotCanonical } from '../custody/canonical.ts';
import { readCheckpoint, type SignedCheckpoint } from '../custody/checkpoint.ts';
import type { Cosigner } from '../custody/cosignature.ts';
import { verifyConsistency } from '../custody/merkle.ts';
import { BadNote, isSignedBy, signatureLine, type VerifierKey } from '../custody/note.ts';
import { type ProofFile, parseConsistency } from '../custody/proof.ts';
import type { WitnessState } from './state.ts';

/** What a witness answers: https://c2sp.org/tlog-witness gives each case its HTTP status. */
export interface Answer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422;
  readonly type: 'text/plain; charset=utf-8' | 'text/x.tlog.size';
  readonly body: string;
}

export interface WitnessOptions {
  readonly cosigner: Cosigner;
  /** The logs that it watches over, with the keys that they may sign with: one log may have two while its key changes. */
  readonly logs: readonly VerifierKey[];
  readonly state: WitnessState;
  readonly now: () => Date;
}

const MAX_PROOF = 63;

/**
 * add-checkpoint: cosigns a checkpoint when it extends the last one cosigned of the same log, and remembers it before it answers.
 * It looks and writes in one go, without waiting, so that two requests cannot pass the same state.
 */
export function addCheckpoint({ cosigner, logs, state, now }: WitnessOptions, body: Uint8Array): Answer {
  const request = read(body);
  if ('status' in request) return request;
  const { old, proof, checkpoint } = request;
  const { origin, size, root, note } = checkpoint;
  const keys = logs.filter(({ name }) => name === origin);
  if (keys.length === 0) return answer(404, `This witness does not watch over ${origin}`);
  const key = keys.find((each) => isSignedBy(note, each));
  if (!key) return answer(403, `It is not signed by a key of ${origin} that this witness knows`);
  if (old > size) return answer(400, 'The old size is larger than the checkpoint');
  const latest = state.latest(origin);
  const seen = latest?.size ?? 0;
  if (old !== seen) return { status: 409, type: 'text/x.tlog.size', body: `${seen}\n` };
  if (latest && latest.size === size) {
    if (latest.root !== root)
      return answer(409, `It has another root than the checkpoint of size ${size} that was cosigned`);
    if (proof.length > 0) return answer(422, 'There is nothing to prove between equal sizes');
  } else if (latest ? !verifyConsistency(latest, checkpoint, proof) : proof.length > 0) {
    return answer(422, `It is not proven to extend the ${seen} entries that were cosigned`);
  }
  const line = cosigner.cosign(note.text, Math.floor(now().getTime() / 1_000));
  const signatures = note.signatures.filter(({ name, hash }) => name === key.name && hash === key.hash);
  const kept = signatures.map((signature) => signatureLine(signature, signature.bytes)).join('');
  state.keep(origin, `${note.text}\n${kept}${line}`); // no line of strangers, of which anyone may add as many as they like
  return answer(200, line);
}

interface Request {
  readonly old: number;
  readonly proof: ProofFile['proof'];
  readonly checkpoint: SignedCheckpoint;
}

function read(body: Uint8Array): Request | Answer {
  try {
    const { index, proof, checkpoint } = parseConsistency(body);
    if (proof.length > MAX_PROOF) return answer(400, `More than ${MAX_PROOF} lines of proof`);
    return { old: index, proof, checkpoint: readCheckpoint(Buffer.from(checkpoint)) };
  } catch (error) {
    if (!(error instanceof BadNote) && !(error instanceof NotCanonical)) throw error;
    return answer(400, error.message);
  }
}

function answer(status: Answer['status'], text: string): Answer {
  return { status, type: 'text/plain; charset=utf-8', body: text.endsWith('\n') ? text : `${text}\n` };
}
