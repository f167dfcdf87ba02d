import { z } from 'zod';
import type { Seal } from '../store/sealed.ts';
import type { RawRequest } from './source.ts';

/** The headers that parsing needs again; signatures and tokens are not among them. */
const KEPT = ['content-type', 'x-github-event', 'x-tourniquet-report'] as const;

const stored = z.object({ headers: z.record(z.string(), z.string()), body: z.base64() });

const contextOf = (id: string): string => `inbox:${id}`;

/** What is kept of a request until it is triaged, sealed: an alert may hold the very secret that it is about. */
export function sealRequest(seal: Seal, id: string, { headers, body }: RawRequest): Buffer {
  const kept = Object.fromEntries(KEPT.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]])));
  return seal.seal(Buffer.from(JSON.stringify({ headers: kept, body: body.toString('base64') })), contextOf(id));
}

/** Throws when the bytes were changed, belong to another row, or were sealed under another master key. */
export function openRequest(seal: Seal, id: string, bytes: Uint8Array): RawRequest {
  const { headers, body } = stored.parse(JSON.parse(seal.open(bytes, contextOf(id)).toString()));
  return { headers, body: Buffer.from(body, 'base64') };
}
