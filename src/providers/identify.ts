import type { Credential } from '../core/credential.ts';
import type { FailureCode } from '../core/failure.ts';
import type { Clue, Exposure, Location, Validity } from '../core/finding.ts';
import type { Caller } from './caller.ts';
import { type Asked, accountIn, type Gate, type Way } from './gate.ts';
import type { Registry } from './registry.ts';

/** What became of a clue after every connector that could help was asked. */
export type Identification =
  | (Learnt & {
      readonly is: 'credential';
      readonly credential: Credential;
      /** Still to be sealed; never to be stored as it is. */
      readonly secret?: string;
    })
  /** For people only, and why. */
  | (Learnt & { readonly is: 'tell'; readonly because: string })
  /** The provider could not be asked now. */
  | (Learnt & { readonly is: 'later'; readonly because: string; readonly retryAfterMs?: number })
  /** It was not asked: it is already asked as fast as it allows, or it is down. No try was spent. */
  | (Learnt & { readonly is: 'wait'; readonly because: string; readonly ms: number });

/** Takes turns with everyone else who asks the same provider; without it, it is asked at once. */
export interface Turns {
  readonly gate: Gate;
  readonly asked: Asked;
  readonly now: () => Date;
}

/** One conversation, for the trace. */
export interface Conversation {
  readonly kind: string;
  readonly from: Date;
  readonly to: Date;
  readonly outcome: FailureCode | 'ok';
}

/** What the providers said on the way; it outranks what the alert said. */
interface Learnt {
  readonly validity?: Validity;
  readonly exposure?: Exposure;
  readonly locations?: readonly Location[];
}

const MOST_HOPS = 4;
const MAY_PASS: readonly FailureCode[] = ['throttled', 'busy', 'unavailable', 'timeout'];

/**
 * Follows a clue from connector to connector until it names a credential of ours. Reads only. `nameSecret` gives a secret that has
 * no public id a name that reveals nothing.
 */
export async function identify(
  first: Clue,
  {
    registry,
    caller,
    nameSecret,
    turns,
    onAsked,
  }: {
    readonly registry: Registry;
    readonly caller: Caller;
    readonly nameSecret: (secret: string) => string;
    readonly turns?: Turns;
    readonly onAsked?: (conversation: Conversation) => void;
  },
): Promise<Identification> {
  let clue = first;
  let learnt: Learnt = {};
  for (let hop = 0; hop < MOST_HOPS; hop += 1) {
    if (clue.secret !== undefined && clue.id === undefined) clue = { ...clue, id: nameSecret(clue.secret) };
    const current = clue;
    const ask = registry.identifier(current.kind);
    if (!ask) return { ...learnt, is: 'tell', because: `no configured connector knows "${current.kind}"` };
    const way = wayOfClue(registry, current);
    const ms =
      turns && way ? turns.gate.enter(way, { ...turns.asked, ticket: `${turns.asked.ticket}/${hop}` }, turns.now()) : 0;
    if (ms > 0) return { ...learnt, is: 'wait', because: 'its provider is asked as fast as it allows', ms };
    const from = turns?.now();
    const called = await caller.call({ idempotencyKey: 'identify', approval: null }, (ctx) => ask(ctx, current));
    if (turns && way) turns.gate.left(way, called.ok ? null : called.failure, turns.now());
    if (turns && from)
      onAsked?.({ kind: current.kind, from, to: turns.now(), outcome: called.ok ? 'ok' : called.failure.code });
    if (!called.ok) {
      const { code, message, retryAfterMs } = called.failure;
      if (!MAY_PASS.includes(code)) return { ...learnt, is: 'tell', because: `it could not be identified: ${message}` };
      return { ...learnt, is: 'later', because: message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
    }
    const found = called.value;
    if ('because' in found) return { ...learnt, is: 'tell', because: found.because };
    const { validity, exposure, locations } = found;
    learnt = {
      ...learnt,
      ...(validity && { validity }),
      ...(exposure && { exposure }),
      ...(locations && { locations }),
    };
    if (found.is === 'credential') {
      return {
        ...learnt,
        is: 'credential',
        credential: found.credential,
        ...(clue.secret === undefined ? {} : { secret: clue.secret }),
      };
    }
    clue = found.clue;
  }
  return { ...learnt, is: 'tell', because: `the clue "${first.kind}" led in circles` };
}

/** Identification draws on the first bucket that a connector declares, which is the one for its reads. */
function wayOfClue(registry: Registry, clue: Clue): Way | undefined {
  const connector = registry.identifierOwner(clue.kind);
  if (!connector) return undefined;
  const [bucket = ''] = Object.keys(connector.buckets);
  return { connector: connector.name, bucket, account: accountIn(clue.where) };
}
