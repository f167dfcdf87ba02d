import { html } from 'hono/html';
import type { Mode } from '../../core/entry.ts';
import type { Person } from '../../policy/policy.ts';
import type { Notice } from '../notices.ts';
import { freezeControl } from './freeze.ts';
import { type Html, region } from './html.ts';

/** What every page is drawn with. */
export interface Frame {
  readonly mode: Mode;
  readonly frozen: boolean;
  readonly now: Date;
  readonly visitor: Visitor;
  readonly notice: Notice | undefined;
  /** What the person had typed into the form that was refused. */
  readonly typed?: Typed;
}

export interface Visitor {
  readonly person: Person;
  readonly authn: string;
  /** Goes into every form. */
  readonly formToken: string;
  /** Whether there is a session to end. */
  readonly canLeave: boolean;
  /** Whether policy lets them do what a form asks. */
  readonly may: (action: 'approve' | 'deny' | 'answer' | 'undo' | 'retry' | 'freeze' | 'thaw') => boolean;
}

export interface Typed {
  /** Of the form: `<act>:<run>`. */
  readonly form: string;
  readonly text: string;
}

export interface PageParts {
  readonly title: string;
  /** Its own path, also where it answers a form sent elsewhere. */
  readonly path: string;
  /** Where the page hears that it is out of date. */
  readonly live: string;
  readonly main: Html;
}

/** A whole page for someone who may see it. */
export const page = (frame: Frame, { title, path, live, main }: PageParts): Html =>
  document(
    title,
    html`
<header class="top">
  <a class="brand" href="/">Tourniquet</a>
  <nav aria-label="Main"><a href="/">Incidents</a> <a href="/ledger">Ledger</a></nav>
  <p id="live" class="live" role="status"><noscript>Reload to see changes</noscript></p>
  <p class="who">${frame.visitor.person.name}${leave(frame.visitor)}</p>
</header>
${modeBanner(frame.mode)}
${region('frozen', frame.frozen ? freezeControl(frame) : html``)}
<main id="main" tabindex="-1">
${frame.notice ? html`<p id="notice" class="notice ${frame.notice.ok ? 'good' : 'bad'}" role="${frame.notice.ok ? 'status' : 'alert'}" tabindex="-1"><strong>${frame.notice.ok ? 'Done:' : 'Not done:'}</strong> ${frame.notice.text}</p>` : ''}
${main}
</main>
<p id="announce" class="unseen" aria-live="polite"></p>`,
    html`data-now="${frame.now.toISOString()}" data-path="${path}" data-live="${live}"`,
  );

/** A page that says one thing, also to strangers. */
export const message = (title: string, lines: readonly (string | Html)[]): Html =>
  document(
    title,
    html`
<header class="top"><a class="brand" href="/">Tourniquet</a></header>
<main id="main" class="message" tabindex="-1"><h1>${title}</h1>${lines.map((line) => html`<p>${line}</p>`)}</main>`,
  );

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Crect width='16' height='16' rx='4' fill='%23b3261e'/%3E%3Cpath d='M3 8h10' stroke='%23fff' stroke-width='3'/%3E%3C/svg%3E";

const document = (title: string, content: Html, attributes: Html = html``): Html => html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · Tourniquet</title>
<link rel="icon" href="${ICON}">
<link rel="stylesheet" href="/assets/console.css">
<script type="module" src="/assets/console.js"></script>
</head>
<body ${attributes}>
<a class="skip" href="#main">Skip to content</a>
${content}
</body>
</html>`;

const leave = ({ canLeave, formToken }: Visitor): Html =>
  canLeave
    ? html`<form method="post" action="/logout"><input type="hidden" name="token" value="${formToken}"><button class="quiet">Sign out</button></form>`
    : html``;

function modeBanner(mode: Mode): Html {
  switch (mode) {
    case 'live':
      return html``;
    case 'sandbox':
      return html`<p class="banner">Sandbox: nothing here touches a real provider.</p>`;
    case 'drill':
      return html`<p class="banner">Drill: everything here is simulated; nothing touches a real provider.</p>`;
  }
}
