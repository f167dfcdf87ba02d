// The page works without this. With it, the page keeps up: the server says that something changed, and the parts that are
// marked data-region are fetched again and replaced, without taking away focus, typed words or opened details.

const body = document.body;
const regions = () => [...document.querySelectorAll('[data-region]')];
const shown = new Map(regions().map((region) => [region.id, fingerprint(region)]));
let ahead = serverAhead(document);

/** How far the server's clock is ahead of ours, in milliseconds. */
function serverAhead(page) {
  return Date.parse(page.body.dataset.now ?? '') - Date.now() || 0;
}

/** What a region says, apart from how long ago things were. */
function fingerprint(region) {
  const copy = region.cloneNode(true);
  for (const ago of copy.querySelectorAll('[data-ago]')) ago.textContent = '';
  return copy.innerHTML;
}

function elapsed(ms) {
  let rest = Math.max(0, Math.floor(ms / 1000));
  const parts = [];
  for (const [unit, size] of [
    ['d', 86400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ]) {
    const amount = Math.floor(rest / size);
    rest -= amount * size;
    if (parts.length > 0 || amount > 0) parts.push(amount > 0 ? `${amount} ${unit}` : '');
  }
  return parts.slice(0, 2).filter(Boolean).join(' ') || '0 s';
}

function tellTime() {
  for (const ago of document.querySelectorAll('[data-ago]')) {
    const ms = Date.now() + ahead - Date.parse(ago.parentElement.dateTime);
    ago.textContent = ms < 0 ? `in ${elapsed(-ms)}` : `${elapsed(ms)} ago`;
  }
}

/** Replaces what `region` shows and puts back what the person was doing in it. */
function replace(region, next) {
  const typed = [...region.querySelectorAll('textarea')]
    .filter((field) => field.value !== field.defaultValue)
    .map(({ id, value }) => ({ id, value }));
  const opened = new Map([...region.querySelectorAll('details[id]')].map(({ id, open }) => [id, open]));
  const active = region.contains(document.activeElement) ? document.activeElement : null;
  const focus = active && { id: active.id, start: active.selectionStart, end: active.selectionEnd };
  const home = active?.closest('section')?.querySelector('[tabindex="-1"]')?.id;

  region.replaceChildren(...document.importNode(next, true).childNodes);
  for (const name of ['data-says']) if (next.hasAttribute(name)) region.setAttribute(name, next.getAttribute(name));

  for (const [id, open] of opened) {
    const details = document.getElementById(id);
    if (details) details.open = open;
  }
  for (const { id, value } of typed) {
    const field = document.getElementById(id);
    if (field) field.value = value;
  }
  if (!focus) return;
  const same = focus.id ? document.getElementById(focus.id) : null;
  const target = same ?? (home ? document.getElementById(home) : null) ?? document.getElementById('main');
  target.focus({ preventScroll: true });
  if (same && typeof focus.start === 'number') same.setSelectionRange(focus.start, focus.end);
}

/** The plans that a region asks a verdict on: one must never change under the reader's cursor. */
const plans = (region) =>
  [...region.querySelectorAll('[data-plan]')].map(
    (box) => `${box.ariaLabelledBy ?? box.getAttribute('aria-labelledby')} ${box.dataset.plan}`,
  );
const planChanged = (region, next) => {
  const after = new Map(plans(next).map((each) => each.split(' ')));
  return plans(region).some((each) => {
    const [box, plan] = each.split(' ');
    return after.has(box) && after.get(box) !== plan;
  });
};

let fetching = false;
let stale = false;

async function refresh() {
  stale = true;
  if (fetching) return;
  fetching = true;
  try {
    while (stale) {
      stale = false;
      const answer = await fetch(body.dataset.path, { headers: { accept: 'text/html' }, credentials: 'same-origin' });
      if (!answer.ok) {
        say(
          answer.status === 401
            ? 'You are signed out. Reload this page to see what to do.'
            : 'This page could not be updated. Reload it.',
          'bad',
        );
        return;
      }
      update(new DOMParser().parseFromString(await answer.text(), 'text/html'));
      await new Promise((done) => setTimeout(done, 250));
    }
  } catch {
    say('Not connected: this page may be out of date', 'bad');
  } finally {
    fetching = false;
  }
}

function update(page) {
  ahead = serverAhead(page);
  document.title = page.title;
  for (const region of regions()) {
    const next = page.getElementById(region.id);
    if (!next) continue;
    const print = fingerprint(next);
    if (shown.get(region.id) === print) continue;
    if (planChanged(region, next)) {
      say('The plan has changed. Reload this page and read the new one before you decide.', 'bad');
      document.getElementById('announce').textContent = 'The plan has changed. Reload this page and read the new one.';
      continue;
    }
    const said = region.dataset.says;
    replace(region, next);
    shown.set(region.id, print);
    if (region.dataset.says !== said) document.getElementById('announce').textContent = region.dataset.says;
  }
  tellTime();
}

function say(text, tone) {
  const status = document.getElementById('live');
  if (!status || status.textContent === text) return;
  status.textContent = text;
  status.className = `live ${tone}`;
}

if (body.dataset.live) {
  const events = new EventSource(body.dataset.live);
  events.addEventListener('open', () => {
    say('Live', 'good');
    refresh(); // what happened between the page and the connection
  });
  events.addEventListener('changed', refresh);
  events.addEventListener('signed-out', () => {
    events.close();
    say('You are signed out. Reload this page to see what to do.', 'bad');
  });
  events.addEventListener('error', () => say('Not connected: this page may be out of date', 'bad'));
  addEventListener('pagehide', () => events.close());
  addEventListener('pageshow', (event) => event.persisted && location.reload());
}
setInterval(tellTime, 5000);

if (document.getElementById('notice')) {
  document.getElementById('notice').focus();
  if (location.search) history.replaceState(null, '', body.dataset.path);
}
