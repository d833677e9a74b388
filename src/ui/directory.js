
/* The directory explorer: names with size, time and permissions; filter, order, the way up. */

const TYPE_ICONS = { directory: 'folder', file: 'file', symlink: 'symlink' };
const TYPE_LETTERS = { file: '-', directory: 'd', symlink: 'l', fifo: 'p', socket: 's', block: 'b', char: 'c' };

/* "drwxr-xr-x" of a type and an octal mode. */
function permissionsText(type, mode) {
  const bits = parseInt(mode, 8);
  if (Number.isNaN(bits))
    return '?';
  const letters = [...'rwxrwxrwx'].map((letter, index) => (bits & (0o400 >> index) ? letter : '-'));
  for (const [bit, index, letter] of [[0o4000, 2, 's'], [0o2000, 5, 's'], [0o1000, 8, 't']])
    if (bits & bit)
      letters[index] = letters[index] === 'x' ? letter : letter.toUpperCase();
  return (own(TYPE_LETTERS, type) || '?') + letters.join('');
}

const COLLATOR = new Intl.Collator('en', { numeric: true });

const ORDERS = {
  name: (a, b) => COLLATOR.compare(a.name, b.name),
  size: (a, b) => (a.size || 0) - (b.size || 0),
  mtime: (a, b) => (a.mtime || '').localeCompare(b.mtime || ''),
};

/* Directories first, whatever the order; equal ones by their names. */
function sortEntries(entries, key, descending) {
  const sign = descending ? -1 : 1;
  return [...entries].sort((a, b) => (b.type === 'directory') - (a.type === 'directory') ||
    sign * ORDERS[key](a, b) || ORDERS.name(a, b));
}

function entryRow(bridge, data, entry) {
  const size = entry.type === 'directory' || entry.size === undefined ? '-' : sizeText(entry.size);
  const time = entry.mtime === undefined ? '-' : timeText(entry.mtime);
  const mode = permissionsText(entry.type, entry.mode);
  const open = opener(bridge, `${data.host}:${joinPath(data.path, entry.name)}`, ...shownName(entry.name));
  const words = el('span', {}, open);
  if (entry.target !== undefined)
    words.append(el('span', { class: 'quiet' }, ' → ', ...shownName(entry.target)));
  words.append(el('span', { class: 'more quiet' }, `${time} · ${mode}`));
  return el('tr', {},
    el('td', {}, el('div', { class: 'name' }, icon(own(TYPE_ICONS, entry.type) || 'special'), words)),
    el('td', { class: 'number', title: entry.size === undefined ? undefined : `${entry.size} bytes` }, size),
    el('td', { class: 'time' }, el('time', { datetime: entry.mtime, title: entry.mtime }, time)),
    el('td', { class: 'mode' }, mode));
}

/* A heading that orders by its column; `state` is {key, descending}. */
function sortHeading(label, key, className, state, onChange) {
  const made = el('button', { type: 'button' }, label);
  const heading = el('th', { scope: 'col', class: className }, made);
  heading.dataset.key = key;
  made.addEventListener('click', () => {
    state.descending = state.key === key && !state.descending;
    state.key = key;
    onChange();
  });
  return heading;
}

function markOrder(headings, state) {
  for (const heading of headings) {
    if (heading.dataset.key === state.key)
      heading.setAttribute('aria-sort', state.descending ? 'descending' : 'ascending');
    else
      heading.removeAttribute('aria-sort');
  }
}

/* The arrows go from name to name; the slash goes to the filter. */
function directoryKeys(event, body, filter) {
  const names = [...body.querySelectorAll('button.link:enabled')];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const at = names.indexOf(document.activeElement);
  if (event.key === '/' && document.activeElement !== filter) {
    filter.focus();
  } else if (step && names.length > 0 && (at >= 0 || document.activeElement === filter)) {
    const next = at < 0 && step < 0 ? -1 : at + step;
    if (next < 0)
      filter.focus();
    else
      names[Math.min(next, names.length - 1)].focus();
  } else {
    return;
  }
  event.preventDefault();
}

class DirectoryView {
  constructor(bridge, data) {
    Object.assign(this, { bridge, data, state: { key: 'name', descending: false }, body: el('tbody', { id: 'rows' }),
      rest: el('div', { class: 'rest' }), empty: el('p', { class: 'empty', hidden: true }), count: el('span', { role: 'status' }) });
    this.entries = (data.entries || []).filter((entry) => entry.name !== '.' && entry.name !== '..');
    this.filter = el('input', { type: 'search', class: 'field', placeholder: 'Filter names', 'aria-label': 'Filter names',
      spellcheck: 'false', autocomplete: 'off' });
    this.headings = [['Name', 'name', ''], ['Size', 'size', 'number'], ['Modified', 'mtime', 'time']]
      .map(([label, key, className]) => sortHeading(label, key, className, this.state, () => this.update()));
    this.filter.addEventListener('input', () => this.update());
    this.update();
  }

  /* What the filter leaves, in the order that is wanted. */
  update() {
    const { entries, state, empty } = this;
    const wanted = this.filter.value.toLowerCase();
    const found = sortEntries(entries.filter((entry) => entry.name.toLowerCase().includes(wanted)), state.key, state.descending);
    markOrder(this.headings, state);
    this.body.replaceChildren();
    this.fillRows(found, 0);
    empty.hidden = found.length > 0;
    empty.textContent = entries.length === 0 ? 'Empty directory' : 'No name fits the filter';
    this.count.textContent = found.length === entries.length ? `${entries.length} entries` : `${found.length} of ${entries.length} entries`;
  }

  fillRows(found, at) {
    this.body.append(...found.slice(at, at + ROWS_AT_ONCE).map((entry) => entryRow(this.bridge, this.data, entry)));
    const left = found.length - at - ROWS_AT_ONCE;
    this.rest.replaceChildren();
    if (left > 0)
      this.rest.append(button(`Show ${Math.min(left, ROWS_AT_ONCE)} more of ${left} entries`, () => this.fillRows(found, at + ROWS_AT_ONCE)));
  }

  upButton() {
    const parent = parentPath(this.data.path);
    return button('Parent', () => this.bridge.open(`${this.data.host}:${parent}`),
      { iconName: 'up', disabled: parent === undefined || !this.bridge.canOpen, title: 'The directory above' });
  }

  nodes() {
    const { bridge, data } = this;
    const table = el('table', { class: 'names' }, el('thead', {}, el('tr', {}, ...this.headings,
      el('th', { scope: 'col', class: 'mode' }, el('span', {}, 'Permissions')))), this.body);
    return [
      headOf({ iconName: 'folder', mark: '📂', title: `${data.host}:${data.path}`, subtitle: 'File Explorer' }),
      crumbsOf(bridge, data.host, data.path),
      el('div', { class: 'bar' }, this.upButton(), this.filter),
      ...(data.truncated ? [noticeOf(`Only the first ${data.count} entries are shown.`)] : []),
      contentOf('Entries', table, this.empty, this.rest),
      el('footer', { class: 'foot' }, this.count),
    ];
  }
}

function directoryView(bridge, data) {
  const view = new DirectoryView(bridge, data);
  return { nodes: view.nodes(), onKey: (event) => directoryKeys(event, view.body, view.filter) };
}

VIEWERS.directory = directoryView;
