import { BadNote } from '../note.ts';
import { BadTimestamp, readTimestamp, timestampRequest, tokenIn } from '../timestamp.ts';

/** An RFC 3161 authority as it is configured. */
export interface TimestampAuthority {
  /** Ours for it, as policies name it. */
  readonly name: string;
  readonly url: string;
}

export type StampAnswer =
  | { readonly ok: true; readonly token: Buffer }
  | { readonly ok: false; readonly because: string };

const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/;
export const isAuthorityName = (name: string): boolean => NAME.test(name);

/** Reads `NAME URL` pairs, separated by commas or newlines. Throws BadNote, naming the pair. */
export function parseAuthorities(text: string): readonly TimestampAuthority[] {
  const authorities = text
    .split(/[,\n]/)
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name, url, ...rest] = pair.split(/\s+/);
      if (
        !name ||
        !url ||
        rest.length > 0 ||
        !isAuthorityName(name) ||
        !/^https?:\/\//.test(url) ||
        !URL.canParse(url)
      ) {
        throw new BadNote(`"${pair}" is not a time-stamping authority: write a short name and its address, NAME URL`);
      }
      return { name, url };
    });
  const twice = authorities.find(({ name }, i) => authorities.findIndex((other) => other.name === name) !== i);
  if (twice) throw new BadNote(`The authority ${twice.name} is there twice`);
  return authorities;
}

const MAX_ANSWER = 64 * 1024;

/** Asks for a time stamp of `message` by HTTP (RFC 3161 §3.4); `nonce` is 8 random bytes. Never rejects: an authority that fails is an answer too. */
export async function askAuthority(
  { url }: TimestampAuthority,
  message: Uint8Array,
  fetch: typeof globalThis.fetch,
  nonce: Uint8Array,
  signal: AbortSignal,
): Promise<StampAnswer> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/timestamp-query' },
      body: new Uint8Array(timestampRequest(message, nonce)),
      redirect: 'error',
      signal,
    });
    if (!response.ok) return { ok: false, because: `it answered with HTTP ${response.status}` };
    const bytes = Buffer.from(await response.arrayBuffer());
    if (bytes.length > MAX_ANSWER) return { ok: false, because: 'its answer is too long' };
    const token = tokenIn(bytes);
    const stamp = readTimestamp(token, message);
    if (!stamp.nonce?.endsWith(Buffer.from(nonce).toString('hex')))
      return { ok: false, because: 'it answered another request' };
    return { ok: true, token };
  } catch (error) {
    if (error instanceof BadTimestamp) return { ok: false, because: error.message };
    if (!(error instanceof Error)) throw error;
    return { ok: false, because: error.cause instanceof Error ? error.cause.message : error.message };
  }
}
