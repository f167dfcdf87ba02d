import { createHmac, timingSafeEqual } from 'node:crypto';

/** Ties forms to the session that they were shown in. Nothing is kept: a token is a MAC of the session's cookie. */
export interface FormTokens {
  of(cookie: string): string;
  /** In constant time. */
  fits(token: string, cookie: string): boolean;
}

/** `key` lives as long as the process: after a restart, open pages must be loaded again before their forms count. */
export function formTokens(key: string): FormTokens {
  const mac = (cookie: string): Buffer => createHmac('sha256', key).update(cookie).digest();
  return {
    of: (cookie) => mac(cookie).toString('base64url'),
    fits(token, cookie) {
      const given = Buffer.from(token, 'base64url');
      const right = mac(cookie);
      return given.length === right.length && timingSafeEqual(given, right);
    },
  };
}
