
/* The file viewer: lines with their numbers; and the same for whatever else the tool prints. */

function factsOf(...facts) {
  return el('div', { class: 'facts' }, ...facts.filter((fact) => fact !== undefined).map((fact) => el('span', {}, fact)));
}

/* What is known of a file, and its text, as all three viewers of files show it. */
function fileParts(bridge, data) {
  const text = data.text || '';
  const notices = data.truncated ? [noticeOf(`The file goes on: it has ${sizeText(data.size || 0)}, and only its begin is shown.`)] : [];
  return { text, lines: linesOf(text), title: `${data.host}:${data.path}`, crumbs: crumbsOf(bridge, data.host, data.path),
    notices, size: data.size === undefined ? undefined : `Size: ${sizeText(data.size)}`,
    time: data.mtime === undefined ? undefined : `Modified: ${timeText(data.mtime)}` };
}

function fileView(bridge, data) {
  const file = fileParts(bridge, data);
  const { place, wrap } = linesPlace(file.lines.length);
  fillLines(place, file.lines, 1);
  return { nodes: [
    headOf({ iconName: 'file', mark: '📄', title: file.title, subtitle: `File Viewer (${languageOf(data.path)})`,
      actions: [wrap, copyButton(file.text)] }),
    file.crumbs,
    factsOf(`Lines: ${file.lines.length}`, `Type: ${typeOf(data.path)}`, file.size, file.time),
    ...file.notices,
    contentOf('Text', file.lines.length > 0 ? place : el('p', { class: 'empty' }, 'Empty file')),
  ] };
}

function differenceKind(line) {
  if (line.startsWith('@@'))
    return 'hunk';
  if (line.startsWith('+'))
    return 'add';
  return line.startsWith('-') ? 'del' : '';
}

/* Any other answer of the tool, as the text that it is. */
function textView(bridge, { title, text, isDifference }) {
  const lines = linesOf(text);
  const { place, wrap } = linesPlace(lines.length);
  fillLines(place, lines, 1, isDifference ? differenceKind : undefined);
  return { nodes: [
    headOf({ iconName: 'file', mark: '📄', title, subtitle: 'Output', actions: [wrap, copyButton(text)] }),
    factsOf(`Lines: ${lines.length}`),
    contentOf('Text', place),
  ] };
}

VIEWERS.file = fileView;
VIEWERS.text = textView;
