/** What is being uploaded now, counted in the bytes that it may come to. Bounds memory whatever anyone sends at once. */
export class Uploads {
  readonly #most: number;
  readonly #mostPerPeer: number;
  readonly #peers = new Map<string, number>();
  #total = 0;

  constructor({ most, mostPerPeer }: { readonly most: number; readonly mostPerPeer: number }) {
    this.#most = most;
    this.#mostPerPeer = mostPerPeer;
  }

  /** Reserves room for `bytes` from `peer`; null when there is none. Call what it returns once the body is dealt with. */
  reserve(peer: string, bytes: number): (() => void) | null {
    const own = this.#peers.get(peer) ?? 0;
    if (this.#total + bytes > this.#most || own + bytes > this.#mostPerPeer) return null;
    this.#total += bytes;
    this.#peers.set(peer, own + bytes);
    return () => {
      this.#total -= bytes;
      const left = (this.#peers.get(peer) ?? 0) - bytes;
      if (left > 0) this.#peers.set(peer, left);
      else this.#peers.delete(peer);
    };
  }
}
