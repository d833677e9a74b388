
/* The log viewer: lines by their level, and a search. */

const LEVELS = ['ERROR', 'WARN', 'INFO', 'DEBUG'];

/* By the words that a line has, in upper case, the gravest first. */
function levelOf(line) {
  if (line.includes('ERROR') || line.includes('FATAL'))
    return 'ERROR';
  if (line.includes('WARN'))
    return 'WARN';
  return line.includes('DEBUG') ? 'DEBUG' : 'INFO';
}

/* The line with each place marked where `wanted`, in lower case, is found. */
function marked(text, wanted) {
  const lower = text.toLowerCase();
  if (wanted === '' || lower.length !== text.length)
    return shown(text);
  const nodes = [];
  let at = 0;
  for (let found = lower.indexOf(wanted); found >= 0; found = lower.indexOf(wanted, at)) {
    nodes.push(...shown(text.slice(at, found)), el('mark', {}, ...shown(text.slice(found, found + wanted.length))));
    at = found + wanted.length;
  }
  return [...nodes, ...shown(text.slice(at))];
}

function logView(bridge, data) {
  const file = fileParts(bridge, data);
  const all = file.lines.map((text, index) => ({ text, number: index + 1, kind: levelOf(text) }))
    .filter((line) => line.text.trim() !== '');
  const levels = new Set(LEVELS);
  const { place, wrap } = linesPlace(file.lines.length, 'log');
  const count = el('span', { role: 'status' });
  const empty = el('p', { class: 'empty' }, all.length === 0 ? 'No logs' : 'No line fits');
  const search = el('input', { type: 'search', class: 'field', placeholder: 'Search', 'aria-label': 'Search in lines',
    spellcheck: 'false', autocomplete: 'off' });

  function update() {
    const wanted = search.value.toLowerCase();
    const found = all.filter((line) => levels.has(line.kind) && line.text.toLowerCase().includes(wanted));
    fill(place, found.map((line) => ({ ...line, nodes: () => marked(line.text, wanted) })), LINES_AT_ONCE, lineChunks, 'lines');
    empty.hidden = found.length > 0;
    count.textContent = `Showing ${found.length} of ${all.length} lines`;
  }

  const buttons = LEVELS.map((level) => {
    const made = button(`${level} ${all.filter((line) => line.kind === level).length}`, () => {
      const on = !levels.delete(level);
      if (on)
        levels.add(level);
      made.setAttribute('aria-pressed', String(on));
      update();
    }, { pressed: true, title: `Show or hide ${level}` });
    made.dataset.level = level;
    return made;
  });
  search.addEventListener('input', update);
  update();
  return { nodes: [
    headOf({ iconName: 'log', mark: '📋', title: file.title, subtitle: 'Log Viewer', actions: [wrap, copyButton(file.text)] }),
    file.crumbs,
    el('div', { class: 'bar' }, el('div', { class: 'group', role: 'group', 'aria-label': 'Levels' }, ...buttons), search),
    ...file.notices,
    contentOf('Lines', place, empty),
    el('footer', { class: 'foot' }, count),
  ] };
}

VIEWERS.log = logView;
