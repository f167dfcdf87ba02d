import { html } from 'hono/html';
import { button, hidden, reason } from './fields.ts';
import type { Html } from './html.ts';
import type { Frame } from './layout.ts';

/** The switch that stops every change at every provider; when it is on, a banner that says so. */
export function freezeControl(frame: Frame): Html {
  const { frozen, visitor, typed } = frame;
  const act = frozen ? 'thaw' : 'freeze';
  const form = visitor.may(act)
    ? html`<form method="post" action="/freeze">
${hidden(visitor, {})}
${reason({ id: `${act}-why`, label: 'Why', required: true, value: typed?.form === act ? typed.text : '' })}
<p class="buttons">${button(frozen ? 'Thaw: let Tourniquet act again' : 'Freeze: change nothing anywhere', { name: 'act', value: act, tone: frozen ? 'plain' : 'danger' })}</p>
</form>`
    : html`<p>You may not ${act} Tourniquet; ask a lead.</p>`;
  return frozen
    ? html`<section class="banner bad" aria-labelledby="frozen-h"><h2 id="frozen-h">Frozen</h2>
<p>Tourniquet changes nothing at any provider until someone thaws it. Alerts are still accepted and assessed.</p>
<details id="thaw-d" ${typed?.form === act ? 'open' : ''}><summary>Thaw…</summary>${form}</details></section>`
    : html`<section aria-labelledby="freeze-h"><h2 id="freeze-h">Emergency stop</h2>
<p>Freezing stops every change at every provider, for all incidents. Alerts are still accepted and assessed.</p>
<details id="freeze-d" ${typed?.form === act ? 'open' : ''}><summary>Freeze…</summary>${form}</details></section>`;
}
