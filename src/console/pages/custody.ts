import { html } from 'hono/html';
import type { LedgerHead } from '../../custody/ledger.ts';
import type { Html } from './html.ts';
import type { Leaf } from './ledger.ts';

/** The newest of an incident's entries that its page lists; the rest is in the export. */
export const CUSTODY_SHOWN = 200;

/** What an auditor needs from this page: the entries' hashes, the head of the log, and how to take both away. */
export const custodyOf = (ref: string, head: LedgerHead, leaves: readonly Leaf[]): Html => html`
<section aria-labelledby="custody-h"><h2 id="custody-h">Chain of custody</h2>
${headOf(head)}
<p>To hand it to someone who does not trust this server, and to check it without a network:</p>
<pre class="commands"><code>npx tourniquet custody export ${ref}
npx tourniquet custody verify ${ref}.tar --policy POLICY</code></pre>
<p class="hint">POLICY says which log and which keys the auditor trusts; it must not come from this server.</p>
${leaves.length > CUSTODY_SHOWN ? html`<p>The newest ${CUSTODY_SHOWN} of ${leaves.length} entries; the export holds them all.</p>` : ''}
${scrolling(
  'Entries of this incident',
  html`<table><thead><tr><th scope="col">Entry</th><th scope="col">Type</th><th scope="col">Leaf hash (SHA-256)</th></tr></thead>
<tbody>${leaves
    .slice(-CUSTODY_SHOWN)
    .map(
      ({ entry, leaf }) =>
        html`<tr><td class="num">${entry.seq}</td><td>${entry.type}</td><td><code>${leaf}</code></td></tr>`,
    )}</tbody></table>`,
)}
</section>`;

export const headOf = ({ origin, size, root }: LedgerHead): Html => html`<dl class="head">
<div><dt>Log</dt><dd><code>${origin}</code></dd></div>
<div><dt>Size</dt><dd class="num">${size}</dd></div>
<div><dt>Root</dt><dd><code>${root}</code></dd></div></dl>`;

/** A wide thing that scrolls within itself, by keyboard too. */
export const scrolling = (label: string, content: Html): Html =>
  html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">${content}</div>`;
