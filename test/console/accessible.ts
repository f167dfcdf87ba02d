import type { Page } from 'playwright-core';

/**
 * What is wrong with the page for someone who cannot see it, has no mouse, or has a small screen: one sentence for each fault.
 * The rules are those of WCAG 2.2 that a program can check here: 1.3.1, 1.4.3, 1.4.10, 2.4.1, 2.4.6, 2.5.8, 4.1.2.
 */
export const faultsOf = (page: Page): Promise<readonly string[]> => page.evaluate(CHECKS);

const CHECKS = `(() => {
  const faults = [];
  const all = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility());
  const name = (each) => each.tagName.toLowerCase() + (each.id ? '#' + each.id : '') + ' "' + each.textContent.trim().slice(0, 40) + '"';

  if (document.documentElement.scrollWidth > innerWidth) faults.push('the page scrolls sideways');
  if (document.documentElement.lang !== 'en') faults.push('the page names no language');
  if (all('main').length !== 1 || all('h1').length !== 1) faults.push('there is not one main and one h1');
  if (!document.querySelector('a.skip[href="#main"]')) faults.push('there is no way past the navigation');
  let level = 0;
  for (const heading of all('h1,h2,h3,h4')) {
    const next = Number(heading.tagName[1]);
    if (next > level + 1 && level !== 0) faults.push('a heading level is skipped before ' + name(heading));
    level = next;
  }
  const ids = [...document.querySelectorAll('[id]')].map((each) => each.id);
  for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) faults.push('the id ' + id + ' is not unique');
  for (const each of document.querySelectorAll('[aria-labelledby]'))
    if (!document.getElementById(each.getAttribute('aria-labelledby'))) faults.push('nothing names ' + name(each));
  for (const field of all('textarea, select, input:not([type=hidden])'))
    if (field.labels.length === 0) faults.push('there is no label for ' + name(field));
  for (const each of all('a, button, summary')) {
    if (each.textContent.trim() === '') faults.push('there are no words in ' + name(each));
    const box = each.getBoundingClientRect();
    const inline = each.tagName === 'A' && getComputedStyle(each).display === 'inline';
    if (!inline && box.height < 24) faults.push('hard to hit, ' + box.height + ' pixels high: ' + name(each));
  }
  for (const table of all('table')) if (!table.closest('[role=region][aria-label][tabindex="0"]')) faults.push('a table cannot be scrolled by keyboard');

  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = colour.map((part) => (part /= 255) <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (each) => {
    for (let at = each; at; at = at.parentElement) {
      const colour = rgb(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const texts = all('body *').filter((each) => [...each.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ''));
  for (const each of texts) {
    const [a, b] = [light(rgb(getComputedStyle(each).color)), light(behind(each))];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) faults.push('contrast ' + contrast.toFixed(2) + ' of ' + name(each));
  }
  return faults;
})()`;
