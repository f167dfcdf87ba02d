import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import type { SealedRef } from '../core/credential.ts';
import type { Reader, Tx } from './store.ts';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** The master key and what is derived from it. Nothing outside this file sees the key. */
export interface Seal {
  /** AES-256-GCM, bound to `context` so that a sealed row cannot be swapped for another. */
  seal(plaintext: Uint8Array, context: string): Buffer;
  /** Throws when the bytes were changed, were sealed for another context, or under another master key. */
  open(sealed: Uint8Array, context: string): Buffer;
  /**
   * A keyed fingerprint `hmac256:<pepper-id>:<hex>`. With an incident, its pepper is that incident's own, so that one case can
   * be disclosed without making others guessable.
   */
  fingerprint(plaintext: string | Uint8Array, incident?: string): string;
  /** Whether `token` is what a caller must present; in constant time. */
  matches(token: string, expected: string): boolean;
}

/** Derives everything from `master` (32 random bytes). Throws when it is shorter. `random` gives that many random bytes. */
export function createSeal(master: Uint8Array, random: (bytes: number) => Uint8Array): Seal {
  if (master.length < 32) throw new Error(`The master key has ${master.length} bytes; it needs 32 random bytes.`);
  const derive = (info: string): Buffer => Buffer.from(hkdfSync('sha256', master, 'tourniquet', info, 32));
  const sealing = derive('seal/v1');
  const hmac = (key: Uint8Array, data: string | Uint8Array): string =>
    createHmac('sha256', key).update(data).digest('hex');
  return {
    seal(plaintext, context) {
      const iv = random(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', sealing, iv).setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(plaintext), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), body]);
    },
    open(sealed, context) {
      const decipher = createDecipheriv('aes-256-gcm', sealing, sealed.subarray(0, IV_BYTES), {
        authTagLength: TAG_BYTES,
      })
        .setAAD(Buffer.from(context))
        .setAuthTag(sealed.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
    },
    fingerprint(plaintext, incident) {
      const pepper = derive(incident ? `fingerprint/v1/incident/${incident}` : 'fingerprint/v1');
      const pepperId = hmac(pepper, 'pepper-id').slice(0, 8);
      return `hmac256:${pepperId}:${hmac(pepper, plaintext)}`;
    },
    matches(token, expected) {
      const once = random(32);
      return timingSafeEqual(Buffer.from(hmac(once, token)), Buffer.from(hmac(once, expected)));
    },
  };
}

/** Secrets between arrival and use. */
export interface SealedStore {
  /** Seals `secret` within `tx` and names it. The same secret again gets the same name while it is kept. */
  put(tx: Tx, secret: string, now: Date): Promise<SealedRef>;
  /** The secret, or null once it was destroyed. */
  open(ref: SealedRef): Promise<string | null>;
  /** Erases the ciphertext; what remains is that it existed. */
  destroy(tx: Tx, ref: SealedRef, now: Date): Promise<void>;
}

export function sealedStore(db: Reader, seal: Seal): SealedStore {
  const nameOf = (secret: string): SealedRef => `sealed:${seal.fingerprint(secret).slice(-24)}`;
  return {
    async put(tx, secret, now) {
      const id = nameOf(secret);
      const ciphertext = seal.seal(Buffer.from(secret), id);
      await tx
        .insertInto('sealed')
        .values({
          id,
          fingerprint: seal.fingerprint(secret),
          ciphertext,
          created_at: now.toISOString(),
          destroyed_at: null,
        })
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ ciphertext, destroyed_at: null }))
        .execute();
      return id;
    },
    async open(ref) {
      const row = await db.selectFrom('sealed').select('ciphertext').where('id', '=', ref).executeTakeFirst();
      return row?.ciphertext ? seal.open(row.ciphertext, ref).toString() : null;
    },
    async destroy(tx, ref, now) {
      await tx
        .updateTable('sealed')
        .set({ ciphertext: null, destroyed_at: now.toISOString() })
        .where('id', '=', ref)
        .execute();
    },
  };
}
