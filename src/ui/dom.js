
'use strict';

/* What all viewers make their elements with. Text and names come from hosts that may be hostile:
   they become text nodes and never markup, and no attribute is set here that a browser would run or
   load from. The page's policy (trusted-types 'none') holds the rest of the code to that. */

const PLAIN_ATTRIBUTES = new Set(['class', 'title', 'type', 'placeholder', 'role', 'tabindex', 'hidden',
  'disabled', 'datetime', 'scope', 'checked', 'start', 'id', 'spellcheck', 'autocomplete', 'dir']);

/* A new element; an attribute whose value is undefined or false is left out, true is empty. */
function el(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === false)
      continue;
    if (!PLAIN_ATTRIBUTES.has(key) && !key.startsWith('aria-') && !key.startsWith('data-'))
      throw new Error(`attribute ${key}`);
    element.setAttribute(key, value === true ? '' : String(value));
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

const ICONS = {
  folder: 'M3 6.5A1.5 1.5 0 0 1 4.5 5h4l2 2.5h9A1.5 1.5 0 0 1 21 9v8.5a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5z',
  file: 'M6 3h8l5 5v12a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V4a1 1 0 0 1 1-1zM14 3v5h5',
  symlink: 'M9 15l6-6M10.5 6.5l1.8-1.8a4 4 0 0 1 5.7 5.7L16.200 12.200M13.500 17.500l-1.800 1.800a4 4 0 0 1-5.700-5.700L7.800 11.800',
  special: 'M4 12h16M12 4v16M6.500 6.500l11 11M17.500 6.500l-11 11',
  log: 'M5 4h14v16H5zM8.500 8.500h7M8.500 12h7M8.500 15.500h4',
  markdown: 'M3 6h18v12H3zM6 15V9l3 3.500L12 9v6M16.500 9v6M14.500 13l2 2 2-2',
  host: 'M4 5h16v6H4zM4 13h16v6H4zM7.500 8h.01M7.500 16h.01',
  up: 'M12 19V6M6 11.500L12 5.500l6 6',
  copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
  warning: 'M12 4l9 16H3zM12 10v4.500M12 17.500h.01',
};

function icon(name) {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  svg.setAttribute('viewBox', '0 0 24 24');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('class', name);
  path.setAttribute('d', ICONS[name]);
  svg.append(path);
  return svg;
}

function button(label, onClick, { iconName, pressed, disabled, title } = {}) {
  const made = el('button', { type: 'button', class: 'button', title, disabled,
    'aria-pressed': pressed === undefined ? undefined : String(pressed) });
  made.append(...(iconName ? [icon(iconName)] : []), label);
  made.addEventListener('click', onClick);
  return made;
}

/* Characters that show as nothing, or that turn the text around them: those of the C0 and C1 sets but
   for tab and line feed, soft hyphen, direction marks, zero-width ones but for the two joiners that
   scripts need, line and paragraph separator, tags. */
const UNSEEN = /[\0-\b\v-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;
const UNSEEN_IN_NAMES = new RegExp(`[\\t\\n]|${UNSEEN.source}`, 'gu');

function unseenMark(character) {
  const code = character.codePointAt(0);
  if (code < 0x20)
    return String.fromCodePoint(0x2400 + code);
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/* The text as nodes that show all of it. */
function shown(text, unseen = UNSEEN) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(unseen)) {
    if (found.index > at)
      nodes.push(text.slice(at, found.index));
    nodes.push(el('span', { class: 'unseen' }, unseenMark(found[0])));
    at = found.index + found[0].length;
  }
  if (at < text.length)
    nodes.push(text.slice(at));
  return nodes;
}

/* The same of a name or anything else that is one line: tabs and line breaks are no part of it. */
function shownName(text) {
  return shown(text, UNSEEN_IN_NAMES);
}

/* The same where there is only a string. */
function shownText(text) {
  return text.replace(UNSEEN_IN_NAMES, (character) => `[${unseenMark(character)}]`);
}

function sizeText(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let unit = 0;
  let value = bytes;
  for (; value >= 1024 && unit < units.length - 1; unit++)
    value /= 1024;
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/* "2026-01-02 03:04" of the reader's own time zone. */
function timeText(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime()))
    return String(iso);
  const two = (number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/* What is selected may be copied in a sandboxed frame, too; the clipboard itself takes a permission
   there. */
async function copyText(text) {
  const area = el('textarea', { 'aria-hidden': 'true', tabindex: '-1', class: 'copied' });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done || navigator.clipboard.writeText(text).then(() => true, () => false);
}

function copyButton(text) {
  const label = el('span', { 'aria-live': 'polite' }, 'Copy');
  const made = button(label, async () => {
    const done = await copyText(text);
    label.textContent = done ? 'Copied' : 'Cannot copy';
    setTimeout(() => { label.textContent = 'Copy'; }, 2000);
  }, { iconName: 'copy', title: 'Copy the text' });
  return made;
}
