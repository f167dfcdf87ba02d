import { html } from 'hono/html';
import type { Entry } from '../../core/entry.ts';
import { describe } from '../../custody/describe.ts';
import type { LedgerHead } from '../../custody/ledger.ts';
import { headOf, scrolling } from './custody.ts';
import { type Html, moment, region } from './html.ts';
import { type Frame, page } from './layout.ts';

/** An entry with its leaf hash, as it stands in the log. */
export interface Leaf {
  readonly entry: Entry;
  readonly leaf: string;
}

export const LEDGER_SHOWN = 100;

/** The end of the log, newest first. */
export const ledgerPage = (frame: Frame, head: LedgerHead, leaves: readonly Leaf[]): Html =>
  page(frame, {
    title: 'Ledger',
    path: '/ledger',
    live: '/live',
    main: html`<h1>Ledger</h1>
<p>The chain of custody: everything that was heard, decided and done, in the order in which it happened. The newest ${LEDGER_SHOWN} entries are shown.</p>
${region(
  'ledger',
  html`${headOf(head)}
<section aria-labelledby="entries-h"><h2 id="entries-h">Entries, newest first</h2>
${leaves.length === 0 ? html`<p>The log is empty. Its first entry will be the first alert, decision or action.</p>` : table(leaves, frame.now)}
</section>`,
  html`data-says="${head.size} entries"`,
)}`,
  });

const table = (leaves: readonly Leaf[], now: Date): Html =>
  scrolling(
    'Entries of the log',
    html`<table><thead><tr><th scope="col">Entry</th><th scope="col">When</th><th scope="col">What happened</th><th scope="col">Who</th><th scope="col">Type</th><th scope="col">Leaf hash (SHA-256)</th></tr></thead>
<tbody>${leaves.map(
      ({ entry, leaf }) => html`
<tr><td class="num">${entry.seq}</td><td>${moment(entry.time.utc, now)}</td><td class="wide">${describe(entry)}</td><td>${entry.actor.id}</td><td>${entry.type}</td><td><code>${leaf}</code></td></tr>`,
    )}</tbody></table>`,
  );
