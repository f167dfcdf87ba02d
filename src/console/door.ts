import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context, Env } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';
import { createMiddleware } from 'hono/factory';
import type { Desk } from '../decisions/desk.ts';
import type { FormTokens } from './csrf.ts';
import { HEADERS, isOurForm, namesUs } from './guard.ts';
import { message, type Visitor } from './pages/layout.ts';
import type { Session } from './session.ts';

export interface ConsoleEnv extends Env {
  Variables: { visitor: Visitor; cookie: string };
}

export interface DoorOptions {
  readonly desk: Desk;
  readonly session: Session;
  readonly tokens: FormTokens;
  readonly publicUrl: URL | undefined;
  readonly newToken: () => string;
}

/** Before everything else: our headers on every answer, our name in every request, our pages behind every form. */
export const guard = (publicUrl: URL | undefined) =>
  createMiddleware<ConsoleEnv>(async (c, next) => {
    if (!namesUs(c.req.header('host'), publicUrl)) {
      const why =
        'This request was addressed to a name that is not this console’s. Open it as http://localhost, or set TOURNIQUET_PUBLIC_URL.';
      c.res = await c.html(message('Not addressed to this console', [why]), 421);
    } else if (c.req.method === 'POST' && !isOurForm(c.req.raw.headers)) {
      const why =
        'This form was not sent by a page of this console, so nothing was done. Open the console itself and decide there.';
      c.res = await c.html(message('Not sent from this console', [why]), 403);
    } else await next();
    for (const [name, value] of Object.entries(HEADERS)) c.res.headers.set(name, value);
  });

/** Lets in whom the session knows, the people file names and policy lets look; tells everyone else what to do. */
export const door = ({ desk, session, tokens, publicUrl, newToken }: DoorOptions) =>
  createMiddleware<ConsoleEnv>(async (c, next) => {
    const name = cookieName(desk);
    const known = await session.personFor({ cookie: getCookie(c, name), remote: remoteOf(c) });
    if (!known) return c.html(message('Sign in', [session.howToEnter]), 401);
    const person = desk.roster.find(known.authn);
    if (!person) {
      const why = `Tourniquet does not know who ${known.authn} is. Ask an administrator to add you to the people file.`;
      return c.html(message('Not in the people file', [why]), 403);
    }
    const view = desk.policy.may(person, 'view');
    if (!view.ok) return c.html(message('Not for you to see', [view.because]), 403);
    const cookie = getCookie(c, name) ?? newToken();
    if (getCookie(c, name) === undefined) giveCookie(c, desk, cookie, publicUrl);
    c.set('cookie', cookie);
    c.set('visitor', {
      person,
      authn: known.authn,
      formToken: tokens.of(cookie),
      canLeave: session.login !== undefined,
      may: (action) => desk.policy.may(person, action).ok,
    });
    return next();
  });

/** Cookies know no ports: a sandbox and a live console on one machine must not sign each other out. */
export const cookieName = ({ ledger }: Desk): string => `tourniquet-${ledger.mode}`;

export function giveCookie(c: Context, desk: Desk, value: string, publicUrl: URL | undefined, maxAge?: number): void {
  const secure = publicUrl?.protocol === 'https:';
  setCookie(c, cookieName(desk), value, {
    httpOnly: true,
    sameSite: 'Strict',
    path: '/',
    secure,
    ...(maxAge === undefined ? {} : { maxAge }),
  });
}

/** The peer's address; undefined when the request did not come by a socket. */
export function remoteOf(c: Context): string | undefined {
  return c.env && 'incoming' in c.env ? getConnInfo(c).remote.address : undefined;
}
