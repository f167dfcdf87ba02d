import { readFileSync } from 'node:fs';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { getCookie } from 'hono/cookie';
import { html } from 'hono/html';
import type { Entry } from '../core/entry.ts';
import type { Desk, Said } from '../decisions/desk.ts';
import { readIncident } from '../incident/view.ts';
import { readSwitches } from '../store/settings.ts';
import { formTokens } from './csrf.ts';
import { type ConsoleEnv, cookieName, door, giveCookie, guard, remoteOf } from './door.ts';
import { freeze, freezeForm, incidentForm, perform, statusOf } from './form.ts';
import { liveStream } from './live.ts';
import { type Notice, noticeOf, recentNotices } from './notices.ts';
import { incidentPage } from './pages/incident.ts';
import { type Frame, message, type Typed } from './pages/layout.ts';
import { ledgerPage } from './pages/ledger.ts';
import { listPage } from './pages/list.ts';
import { isSwitch, leavesOf, newestLeaves, readLines } from './read.ts';
import type { Session } from './session.ts';

export interface ConsoleOptions {
  readonly desk: Desk;
  readonly session: Session;
  /** Where people open it when that is not localhost: its host is accepted too, and over https its cookie is sent by https alone. */
  readonly publicUrl?: URL;
  /** 256 fresh random bits in text at every call: `randomToken`. */
  readonly newToken: () => string;
  /** Between two looks of a live page at whether another replica wrote; 5 s when left out. */
  readonly tickMs?: number;
  /** Why a page could not be shown or a decision not recorded. For the log and the alarm. */
  readonly onTrouble: (error: unknown) => void;
}

const smallBody = bodyLimit({
  maxSize: 32 * 1024,
  onError: (c) =>
    c.html(
      message('Too long', ['Nothing was done: the form was longer than a reason needs to be. Go back and shorten it.']),
      413,
    ),
});

/**
 * The pages for people, to be mounted at `/`: incidents, one incident with its decisions, the ledger, and what signs people in.
 * Claims no other path: `/webhooks`, `/slack` and `/healthz` pass by it. What cannot be shown is answered 500 and told `onTrouble`.
 */
export function createConsole(options: ConsoleOptions): Hono<ConsoleEnv> {
  const { desk, session, publicUrl, newToken, onTrouble } = options;
  const { store, ledger, clock } = desk;
  const tokens = formTokens(newToken());
  const notices = recentNotices(desk.random);
  const app = new Hono<ConsoleEnv>();

  app.onError(async (error, c) => {
    onTrouble(error);
    return c.html(message('This could not be done', TROUBLE), 500);
  });
  for (const path of ['/', '/live', '/ledger', '/incidents/*', '/freeze', '/login', '/logout', '/assets/*'])
    app.use(path, guard(publicUrl));
  for (const [file, type] of ASSETS) {
    const content = readFileSync(new URL(`assets/${file}`, import.meta.url), 'utf8');
    app.get(`/assets/${file}`, (c) => c.body(content, 200, { 'content-type': `${type}; charset=utf-8` }));
  }
  app.get('/login', (c) => login(c, options));
  for (const path of ['/', '/live', '/ledger', '/incidents/*', '/freeze', '/logout'])
    app.use(path, door({ desk, session, tokens, publicUrl, newToken }));
  for (const path of ['/incidents/*', '/freeze', '/logout']) app.use(path, smallBody);

  const frameOf = async (c: Context<ConsoleEnv>, refused?: Notice, typed?: Typed): Promise<Frame> => ({
    mode: ledger.mode,
    frozen: (await readSwitches(store.db)).frozen,
    now: clock.now(),
    visitor: c.get('visitor'),
    notice: refused ?? notices.find(c.get('cookie'), c.req.query('said') ?? ''),
    ...(typed ? { typed } : {}),
  });
  const showList = async (frame: Frame) => listPage(frame, await readLines(store.db));
  const showIncident = async (ref: string, frame: Frame) => {
    const incident = await readIncident(store.db, ref, frame.now);
    if (!incident) return null;
    return incidentPage(frame, incident, await ledger.head(), await leavesOf(store.db, incident));
  };
  const live = (c: Context<ConsoleEnv>, concerns: (entry: Entry) => boolean): Response => {
    if (c.req.method === 'HEAD') return c.body(null); // nobody would read the stream, nor end it
    const visit = { cookie: c.get('cookie'), remote: remoteOf(c) };
    const stillIn = async (): Promise<boolean> => (await session.personFor(visit)) !== null;
    return liveStream({ ledger, concerns, stillIn, tickMs: options.tickMs ?? 5_000, onTrouble });
  };
  /** The fields of a form that was shown to this session; null when it was not, or is not a form. */
  const fieldsOf = async (c: Context<ConsoleEnv>): Promise<Record<string, unknown> | null> => {
    const fields = await c.req.parseBody();
    const { token } = fields;
    return typeof token === 'string' && tokens.fits(token, c.get('cookie')) ? fields : null;
  };
  const goBack = (c: Context<ConsoleEnv>, path: string, said: Said): Response =>
    c.redirect(`${path}?said=${notices.keep(c.get('cookie'), noticeOf(said))}`, 303);

  app.get('/', async (c) => c.html(await showList(await frameOf(c))));
  app.get('/live', (c) => live(c, () => true));
  app.get('/ledger', async (c) => {
    const frame = await frameOf(c);
    return c.html(ledgerPage(frame, await ledger.head(), await newestLeaves(store.db)));
  });
  app.get('/incidents/:ref', async (c) => {
    const shown = await showIncident(c.req.param('ref'), await frameOf(c));
    return shown ? c.html(shown) : noSuchIncident(c);
  });
  app.get('/incidents/:ref/live', async (c) => {
    const incident = await readIncident(store.db, c.req.param('ref'), clock.now());
    if (!incident) return noSuchIncident(c);
    return live(c, (entry) => entry.incident === incident.id || isSwitch(entry));
  });
  app.post('/incidents/:ref', async (c) => {
    const fields = await fieldsOf(c);
    if (!fields) return outdated(c);
    const form = incidentForm.safeParse(fields);
    if (!form.success) return notUnderstood(c);
    const incident = await readIncident(store.db, c.req.param('ref'), clock.now());
    if (!incident?.runs.some(({ id }) => id === form.data.run)) return noSuchIncident(c);
    const said = await perform(desk, form.data, c.get('visitor').authn);
    if (said.ok) return goBack(c, `/incidents/${incident.ref}`, said);
    const { act, run, text } = form.data;
    const typed = { form: `${act === 'approve' || act === 'deny' ? 'verdict' : act}:${run}`, text };
    const shown = await showIncident(incident.ref, await frameOf(c, noticeOf(said), typed));
    return shown ? c.html(shown, statusOf(said.code)) : noSuchIncident(c);
  });
  app.get('/freeze', (c) => c.redirect('/', 303));
  app.post('/freeze', async (c) => {
    const fields = await fieldsOf(c);
    if (!fields) return outdated(c);
    const form = freezeForm.safeParse(fields);
    if (!form.success) return notUnderstood(c);
    const said = await freeze(desk, form.data, c.get('visitor').authn);
    if (said.ok) return goBack(c, '/', said);
    const typed = { form: form.data.act, text: form.data.text };
    return c.html(await showList(await frameOf(c, noticeOf(said), typed)), statusOf(said.code));
  });
  app.post('/logout', async (c) => {
    if (!(await fieldsOf(c))) return outdated(c);
    await session.login?.leave(c.get('cookie'));
    giveCookie(c, desk, '', publicUrl, 0);
    return c.html(message('Signed out', [session.howToEnter]));
  });
  return app;
}

/** Exchanges the token of a link for a session. Only a person's own visit counts: a preview must not use the link up. */
async function login(c: Context<ConsoleEnv>, { desk, session, publicUrl }: ConsoleOptions): Promise<Response> {
  if (!session.login) return c.redirect('/', 303);
  const preview = c.req.method === 'HEAD' || /prefetch|prerender/.test(c.req.header('sec-purpose') ?? '');
  if (preview) return c.html(message('Open this link yourself', ['It works once, and was not used up.']), 403);
  const old = getCookie(c, cookieName(desk));
  const entered = await session.login.enter(c.req.query('token') ?? '');
  if (!entered) {
    const why = 'The link was used already, has expired, or was never one of ours.';
    return c.html(message('This link does not sign you in', [why, session.howToEnter]), 401);
  }
  if (old !== undefined) await session.login.leave(old);
  giveCookie(c, desk, entered.cookie, publicUrl, entered.maxAgeSeconds);
  return c.redirect('/', 303);
}

const ASSETS = [
  ['console.css', 'text/css'],
  ['console.js', 'text/javascript'],
] as const;

const TROUBLE = [
  'What went wrong is in Tourniquet’s own log. If you were deciding something, take it as not recorded until the incident’s timeline shows it.',
  'If the log says that the database was changed behind the ledger’s back: stop, keep a copy of the database, and restore a backup that verifies.',
];

const noSuchIncident = (c: Context) =>
  c.html(
    message('No such incident', [
      'It may belong to another Tourniquet.',
      html`<a href="/">All incidents of this one</a>`,
    ]),
    404,
  );
const outdated = (c: Context) =>
  c.html(
    message('This page was too old', [
      'Nothing was done. The form belongs to another session, or Tourniquet was restarted since it was shown. Go back, load the page again, and decide once more.',
    ]),
    403,
  );
const notUnderstood = (c: Context) =>
  c.html(
    message('Not understood', ['Nothing was done: the form was incomplete or too long. Go back and try again.']),
    400,
  );
