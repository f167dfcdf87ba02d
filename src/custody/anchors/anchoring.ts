import type { Store } from '../../store/store.ts';
import type { SignedCheckpoint } from '../checkpoint.ts';
import { parseVkey } from '../note.ts';
import { lastCheckpoint } from '../state.ts';
import { TiledTree } from '../tiles.ts';
import { growTree, tilesIn } from '../tree-store.ts';
import { anchorsOf, cosignedNote, keepAnchor, largestBy } from './store.ts';
import { askAuthority, type TimestampAuthority } from './timestamp-client.ts';
import { askWitness, type WitnessPeer } from './witness-client.ts';

export interface AnchoringOptions {
  readonly store: Store;
  /** The log's. */
  readonly vkey: string;
  readonly witnesses: readonly WitnessPeer[];
  readonly authorities: readonly TimestampAuthority[];
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => Date;
  /** That many random bytes. */
  readonly random: (bytes: number) => Uint8Array;
  /** Someone outside did not answer, or holds that the log was rewritten. Anchoring goes on with the others. */
  readonly alert: (trouble: AnchorTrouble) => void;
  /** Counted for metrics. */
  readonly onAnchor?: (anchor: {
    readonly kind: 'cosignature' | 'rfc3161';
    readonly name: string;
    readonly size: number;
  }) => void;
}

export interface AnchorTrouble {
  readonly kind: 'cosignature' | 'rfc3161';
  readonly name: string;
  readonly because: string;
  /** It will not go away by asking again: a person must look. */
  readonly grave: boolean;
}

/** How the head of the log stood with those outside when it was asked. */
export type Witnessed =
  | { readonly is: 'not-configured' }
  | { readonly is: 'empty' }
  | { readonly is: 'witnessed'; readonly size: number; readonly by: readonly string[] }
  /** Some or all did not cosign; the others are in `by`. */
  | {
      readonly is: 'unwitnessed';
      readonly size: number;
      readonly by: readonly string[];
      readonly missing: readonly string[];
    };

export interface Anchoring {
  /** Asks every witness and every authority for the newest checkpoint, for at most `withinMs`. Never rejects for what is outside. */
  anchorHead(withinMs?: number): Promise<Witnessed>;
  /**
   * What an intent of an irreversible step says of itself when the head before it could not be witnessed; undefined when it was,
   * or when no witness is configured. Waits for at most `withinMs`, and never stops the step.
   */
  remarkBeforeIrreversible(withinMs?: number): Promise<string | undefined>;
  /** Anchors whenever `news` resolves, until `signal` aborts. `news` resolves at the next append, or after a while. */
  run(news: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>;
}

const WITHIN_MS = 5_000;

export function createAnchoring(options: AnchoringOptions): Anchoring {
  const { store, witnesses, authorities } = options;
  const key = parseVkey(options.vkey);
  const heard = new Map<string, string>();

  /** Says each trouble once, until it is over. */
  function tell(trouble: AnchorTrouble): void {
    if (heard.get(trouble.name) === trouble.because) return;
    heard.set(trouble.name, trouble.because);
    options.alert(trouble);
  }

  async function keep(kind: AnchorTrouble['kind'], name: string, size: number, bytes: Buffer): Promise<void> {
    await keepAnchor(store, { size, kind, name, bytes, at: options.now().toISOString() });
    heard.delete(name);
    options.onAnchor?.({ kind, name, size });
  }

  async function witness(
    peer: WitnessPeer,
    checkpoint: SignedCheckpoint,
    tree: TiledTree,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { name } = peer.key;
    let old = await largestBy(store.db, 'cosignature', name);
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const proof = old === 0 ? [] : await tree.consistencyProof(old);
      const note = await cosignedNote(store.db, checkpoint.size);
      const answer = await askWitness(peer, { old, proof, checkpoint: note }, options.fetch, signal);
      switch (answer.is) {
        case 'cosigned':
          await keep('cosignature', name, checkpoint.size, Buffer.from(answer.line));
          return true;
        case 'elsewhere':
          if (answer.size > checkpoint.size) {
            if ((await currentSize()) >= answer.size) return false; // another replica was faster: the next round anchors that head
            const because = `it saw ${answer.size} entries and the log has ${checkpoint.size}: the log was cut back`;
            tell({ kind: 'cosignature', name, because, grave: true });
            return false;
          }
          old = answer.size;
          break;
        case 'refused':
        case 'unreachable':
          tell({ kind: 'cosignature', name, because: answer.because, grave: answer.is === 'refused' });
          return false;
      }
    }
    tell({ kind: 'cosignature', name, because: 'it names another size at every request', grave: false });
    return false;
  }

  async function stamp(
    authority: TimestampAuthority,
    checkpoint: SignedCheckpoint,
    signal: AbortSignal,
  ): Promise<void> {
    const answer = await askAuthority(
      authority,
      Buffer.from(checkpoint.note.text),
      options.fetch,
      options.random(8),
      signal,
    );
    if (answer.ok) await keep('rfc3161', authority.name, checkpoint.size, answer.token);
    else tell({ kind: 'rfc3161', name: authority.name, because: answer.because, grave: false });
  }

  async function currentSize(): Promise<number> {
    return (await lastCheckpoint(store.db, key))?.size ?? 0;
  }

  async function anchorHead(withinMs: number = WITHIN_MS): Promise<Witnessed> {
    if (witnesses.length + authorities.length === 0) return { is: 'not-configured' };
    const checkpoint = await lastCheckpoint(store.db, key);
    if (!checkpoint) return { is: 'empty' };
    const { size } = checkpoint;
    await growTree(store, size);
    const tree = new TiledTree(size, tilesIn(store.db));
    const have = new Set((await anchorsOf(store.db, size)).map(({ kind, name }) => `${kind} ${name}`));
    const signal = AbortSignal.timeout(withinMs);
    const stamps = authorities
      .filter(({ name }) => !have.has(`rfc3161 ${name}`))
      .map((authority) => stamp(authority, checkpoint, signal));
    const answers = witnesses.map(async (peer) => ({
      name: peer.key.name,
      ok: have.has(`cosignature ${peer.key.name}`) || (await witness(peer, checkpoint, tree, signal)),
    }));
    const asked = await Promise.all(answers);
    await Promise.all(stamps);
    if (witnesses.length === 0) return { is: 'not-configured' };
    const by = asked.filter(({ ok }) => ok).map(({ name }) => name);
    const missing = asked.filter(({ ok }) => !ok).map(({ name }) => name);
    return missing.length === 0 ? { is: 'witnessed', size, by } : { is: 'unwitnessed', size, by, missing };
  }

  return {
    anchorHead,
    async remarkBeforeIrreversible(withinMs) {
      const witnessed = await anchorHead(withinMs);
      if (witnessed.is !== 'unwitnessed') return undefined;
      return `unwitnessed: no cosignature by ${witnessed.missing.join(', ')} on the log before this step (${witnessed.size} entries)`;
    },
    async run(news, signal) {
      while (!signal.aborted) {
        await growTree(store, await currentSize()); // tiles for monitors, whoever cosigns
        await anchorHead();
        await news(signal);
      }
    },
  };
}
