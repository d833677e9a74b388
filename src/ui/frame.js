
/* What the viewers have in common: the head with its title, the way up, lines of text, and lists that
   are shown piece by piece. */

/* The viewers that this page has, by what they show; each file adds its own. */
const VIEWERS = {};

const LINES_AT_ONCE = 20000;
const LINES_A_CHUNK = 200;
const ROWS_AT_ONCE = 1000;

/* `head`: {iconName, mark, title, subtitle, actions}. The mark is for the document's title, where
   there are no drawings. */
function headOf({ iconName, mark, title, subtitle, actions = [] }) {
  document.title = `${mark} ${shownText(title)}`;
  return el('header', { class: 'head' }, icon(iconName),
    el('div', { class: 'titles' }, el('h1', {}, ...shownName(title)), el('p', {}, subtitle)),
    el('div', { class: 'group' }, ...actions));
}

/* Something that opens a target of the tool. */
function opener(bridge, target, ...children) {
  const made = el('button', { type: 'button', class: 'link', disabled: !bridge.canOpen }, ...children);
  made.addEventListener('click', () => bridge.open(target));
  return made;
}

function crumbsOf(bridge, host, path) {
  const nav = el('nav', { class: 'crumbs', 'aria-label': 'Path' });
  nav.append(el('span', { class: 'quiet' }, `${shownText(host)}:`));
  pathSteps(path).forEach((step, index, all) => {
    if (index > 1 || (index === 1 && all[0].name !== '/'))
      nav.append(el('span', { class: 'quiet', 'aria-hidden': 'true' }, '/'));
    nav.append(index === all.length - 1 ? el('span', { 'aria-current': 'page' }, ...shownName(step.name))
      : opener(bridge, `${host}:${step.path}`, ...shownName(step.name)));
  });
  return nav;
}

function noticeOf(text, isBad) {
  return el('p', { class: isBad ? 'notice bad' : 'notice', role: isBad ? 'alert' : 'note' }, ...shown(text));
}

/* Puts `make(item)` of each item into `into`, `step` at once; a button brings the next ones. */
function fill(into, items, step, make, what) {
  into.replaceChildren();
  let at = 0;
  const more = () => {
    const next = items.slice(at, at + step);
    at += next.length;
    into.append(...make(next));
    if (at === items.length)
      return;
    const left = items.length - at;
    const further = button(`Show ${Math.min(step, left)} more of ${left} ${what}`, () => {
      further.remove();
      more();
    });
    further.classList.add('further');
    into.append(further);
  };
  more();
}

/* Lines {number, nodes, kind} as elements. A chunk that is out of sight costs the browser nothing. */
function lineChunks(lines) {
  const chunks = [];
  for (let at = 0; at < lines.length; at += LINES_A_CHUNK) {
    const part = lines.slice(at, at + LINES_A_CHUNK);
    const chunk = el('div', { class: 'chunk' }, ...part.map((line) =>
      el('div', { class: line.kind ? `line ${line.kind}` : 'line', 'data-n': line.number },
        el('code', {}, ...line.nodes()))));
    chunk.style.setProperty('--count', part.length);
    chunks.push(chunk);
  }
  return chunks;
}

/* A last line break ends the last line and begins none. */
function linesOf(text) {
  const lines = text.split('\n');
  if (lines.at(-1) === '')
    lines.pop();
  return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
}

/* The place for lines, and the button that folds long ones. */
function linesPlace(count, className = '') {
  const place = el('div', { class: `lines ${className}` });
  place.style.setProperty('--digits', String(count).length);
  const wrap = button('Wrap', () => {
    const on = place.classList.toggle('wrap');
    wrap.setAttribute('aria-pressed', String(on));
  }, { pressed: false, title: 'Fold long lines' });
  return { place, wrap };
}

function fillLines(place, texts, first, kindOf = () => '') {
  const lines = texts.map((text, index) => ({ number: first + index, kind: kindOf(text), nodes: () => shown(text) }));
  fill(place, lines, LINES_AT_ONCE, lineChunks, 'lines');
}

/* A part that scrolls, which the keyboard can reach. */
function contentOf(label, ...children) {
  return el('div', { class: 'content', tabindex: '0', role: 'region', 'aria-label': label }, ...children);
}
