
/* Markdown as blocks: lines -> a tree of plain objects, after CommonMark, with GitHub's tables and task
 * lists. HTML is text. Nesting goes BLOCK_DEPTH_MAX deep; what is deeper is a paragraph.
 *
 * Blocks: {tag: h1…h6|p, inline}, {tag: pre, text, info}, {tag: hr}, {tag: blockquote|li, children},
 * {tag: ul|ol, start?, tight, children}, {tag: table, align, head, rows}. */

const BLOCK_DEPTH_MAX = 16;
const TABLE_CELLS_MAX = 64;

const FENCE = /^ {0,3}(`{3,}|~{3,})(.*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]|$)/;
const RULE = /^ {0,3}(?:(?:\*[ \t]*){3,}|(?:-[ \t]*){3,}|(?:_[ \t]*){3,})$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-+*]|\d{1,9}[.)])(?=[ \t]|$)/;
const DEFINITION = /^ {0,3}\[((?:[^[\]\\]|\\.){1,999})\]:[ \t]{0,99}(?:<([^<>]{0,2048})>|(\S{1,2048}))(?:[ \t]{1,99}(?:"([^"]{0,1024})"|'([^']{0,1024})'|\(([^()]{0,1024})\)))?[ \t]{0,99}$/;

const LAZY = '    '; /* before a line that only goes on with a paragraph: so far in, it begins nothing */

const isBlank = (line) => line.trim() === '';

function expandTabs(line) {
  if (!line.includes('\t'))
    return line;
  const end = line.length - line.trimStart().length;
  let lead = '';
  for (const character of line.slice(0, end))
    lead += character === '\t' ? ' '.repeat(4 - lead.length % 4) : ' ';
  return lead + line.slice(end);
}

function indentOf(line) {
  return line.length - line.trimStart().length;
}

/* Whether the line begins a block that may stand right behind a paragraph. */
function interrupts(line) {
  if (FENCE.test(line) || HEADING.test(line) || RULE.test(line) || QUOTE.test(line))
    return true;
  const item = ITEM.exec(line);
  return item !== null && !isBlank(line.slice(item[0].length)) && (!/\d/.test(item[2]) || parseInt(item[2], 10) === 1);
}

/* Of the lines within a quote or an item, one after the other: whether a line that stands outside may go on
 * with the paragraph that they end in. */
class OpenParagraph {
  constructor() {
    Object.assign(this, { isOpen: false, fence: undefined });
  }

  take(line) {
    const text = line.replace(/^(?: {0,3}(?:>|(?:[-+*]|\d{1,9}[.)])(?= )) ?){1,16}/, '');
    const fence = FENCE.exec(text);
    if (this.fence === undefined && fence)
      this.fence = fence[1];
    else if (fence && fence[1].startsWith(this.fence) && isBlank(fence[2]))
      this.fence = undefined;
    this.isOpen = this.fence === undefined && !fence && !isBlank(text) && !HEADING.test(text) && !RULE.test(text) &&
      (this.isOpen || indentOf(text) < 4);
  }

  goesOnWith(line) {
    return this.isOpen && !isBlank(line) && !interrupts(line);
  }
}

class BlockParser {
  constructor(references) {
    this.references = references;
  }

  parse(lines, depth) {
    const blocks = [];
    let at = 0;
    while (at < lines.length) {
      if (isBlank(lines[at])) {
        at++;
        continue;
      }
      const taken = this.take(lines, at, depth);
      if (taken.block)
        blocks.push(taken.block);
      at = taken.next;
    }
    return blocks;
  }

  take(lines, at, depth) {
    const line = lines[at];
    if (indentOf(line) >= 4)
      return this.indented(lines, at);
    if (FENCE.test(line) && !(line.trimStart()[0] === '`' && FENCE.exec(line)[2].includes('`')))
      return this.fenced(lines, at);
    if (HEADING.test(line))
      return this.heading(line, at);
    if (RULE.test(line))
      return { block: { tag: 'hr' }, next: at + 1 };
    if (depth < BLOCK_DEPTH_MAX && QUOTE.test(line))
      return this.quote(lines, at, depth);
    if (depth < BLOCK_DEPTH_MAX && ITEM.test(line))
      return this.list(lines, at, depth);
    const definition = DEFINITION.exec(line);
    if (definition)
      return this.definition(definition, at);
    return this.table(lines, at) ?? this.paragraph(lines, at);
  }

  indented(lines, at) {
    let end = at, last = at;
    for (; end < lines.length && (isBlank(lines[end]) || indentOf(lines[end]) >= 4); end++)
      if (!isBlank(lines[end]))
        last = end;
    const text = lines.slice(at, last + 1).map((line) => line.slice(4)).join('\n');
    return { block: { tag: 'pre', text, info: '' }, next: last + 1 };
  }

  fenced(lines, at) {
    const [, fence, info] = FENCE.exec(lines[at]);
    const indent = indentOf(lines[at]);
    const body = [];
    let end = at + 1;
    for (; end < lines.length; end++) {
      const close = FENCE.exec(lines[end]);
      if (close && close[1][0] === fence[0] && close[1].length >= fence.length && isBlank(close[2]))
        break;
      body.push(lines[end].slice(Math.min(indent, indentOf(lines[end]))));
    }
    return { block: { tag: 'pre', text: body.join('\n'), info: info.trim().split(/\s/)[0] }, next: end + 1 };
  }

  heading(line, at) {
    const level = HEADING.exec(line)[1].length;
    const text = line.trim().slice(level).trim();
    const bare = text.slice(0, text.length - /#*$/.exec(text.slice(-200))[0].length);
    const closed = bare === '' || /[ \t]$/.test(bare) ? bare.trimEnd() : text;
    return { block: { tag: `h${level}`, inline: parseInline(closed, this.references) }, next: at + 1 };
  }

  quote(lines, at, depth) {
    const inner = [];
    const paragraph = new OpenParagraph();
    let end = at;
    for (; end < lines.length; end++) {
      const found = QUOTE.exec(lines[end]);
      if (!found && !paragraph.goesOnWith(lines[end]))
        break;
      inner.push(found ? lines[end].slice(found[0].length) : LAZY + lines[end].trimStart());
      if (found)
        paragraph.take(inner.at(-1));
    }
    return { block: { tag: 'blockquote', children: this.parse(inner, depth + 1) }, next: end };
  }

  list(lines, at, depth) {
    const first = ITEM.exec(lines[at])[2];
    const kind = first.at(-1);
    const ordered = /\d/.test(first);
    const items = [];
    let next = at, tight = true;
    while (next < lines.length) {
      const found = ITEM.exec(lines[next]);
      if (!found || found[2].at(-1) !== kind || /\d/.test(found[2]) !== ordered || RULE.test(lines[next]))
        break;
      const item = this.item(lines, next, found, depth);
      items.push(item.block);
      const goesOn = item.next < lines.length && ITEM.exec(lines[item.next])?.[2].at(-1) === kind;
      tight = tight && !item.isLoose && !(item.blankEnd && goesOn);
      next = item.next;
    }
    return { block: { tag: ordered ? 'ol' : 'ul', start: ordered ? parseInt(first, 10) : undefined, tight, children: items }, next };
  }

  /* One item: the lines that stand as far in as its text, and those that go on with its paragraph. */
  item(lines, at, found, depth) {
    const rest = lines[at].slice(found[0].length);
    const blanks = indentOf(rest);
    const width = found[0].length + (isBlank(rest) || blanks > 4 ? 1 : blanks);
    const inner = [rest.slice(isBlank(rest) || blanks > 4 ? 1 : blanks)];
    const paragraph = new OpenParagraph();
    let end = at + 1, isLoose = false, wasBlank = isBlank(inner[0]);
    paragraph.take(inner[0]);
    for (; end < lines.length; end++) {
      const line = lines[end];
      if (isBlank(line)) {
        inner.push('');
      } else if (indentOf(line) >= width) {
        isLoose = isLoose || (wasBlank && inner.length > 1);
        inner.push(line.slice(width));
        paragraph.take(inner.at(-1));
      } else if (!wasBlank && paragraph.goesOnWith(line) && !ITEM.test(line)) {
        inner.push(LAZY + line.trimStart());
      } else {
        break;
      }
      wasBlank = isBlank(line);
    }
    const task = /^\[([ xX])\] /.exec(inner[0]);
    if (task)
      inner[0] = inner[0].slice(4);
    const block = { tag: 'li', task: task ? task[1] !== ' ' : undefined, children: this.parse(inner, depth + 1) };
    return { block, next: end, isLoose, blankEnd: wasBlank };
  }

  definition([, label, bracketed, bare, ...titles], at) {
    const title = titles.find((each) => each !== undefined);
    const key = linkLabel(label);
    if (!this.references.has(key))
      this.references.set(key, { to: unescapeText(bracketed ?? bare), title: title === undefined ? undefined : unescapeText(title) });
    return { next: at + 1 };
  }

  table(lines, at) {
    if (!lines[at].includes('|') || at + 1 >= lines.length || !lines[at + 1].includes('-'))
      return undefined;
    const head = tableCells(lines[at]);
    const marks = tableCells(lines[at + 1]);
    if (marks.length !== head.length || marks.length > TABLE_CELLS_MAX || !marks.every((mark) => /^:?-{1,999}:?$/.test(mark)))
      return undefined;
    const align = marks.map((mark) => (mark.endsWith(':') ? (mark.startsWith(':') ? 'center' : 'right') : ''));
    const inline = (cells) => head.map((_, index) => parseInline(cells[index] ?? '', this.references));
    const rows = [];
    let end = at + 2;
    for (; end < lines.length && !isBlank(lines[end]) && !interrupts(lines[end]); end++)
      rows.push(inline(tableCells(lines[end])));
    return { block: { tag: 'table', align, head: inline(head), rows }, next: end };
  }

  paragraph(lines, at) {
    const text = [lines[at].trimStart()];
    let end = at + 1;
    for (; end < lines.length && !isBlank(lines[end]); end++) {
      const under = /^ {0,3}(=+|-+)[ \t]*$/.exec(lines[end]);
      if (under)
        return { block: { tag: under[1][0] === '=' ? 'h1' : 'h2', inline: this.inline(text) }, next: end + 1 };
      if (interrupts(lines[end]))
        break;
      text.push(lines[end].trimStart());
    }
    return { block: { tag: 'p', inline: this.inline(text) }, next: end };
  }

  inline(lines) {
    return parseInline(lines.join('\n').trimEnd(), this.references);
  }
}

/* Cells between bars; a bar behind a backslash is a character. */
function tableCells(line) {
  const cells = [''];
  const text = line.trim().replace(/^\|/, '');
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\' && text[at + 1] === '|')
      cells[cells.length - 1] += text[++at];
    else if (text[at] === '|')
      cells.push('');
    else
      cells[cells.length - 1] += text[at];
  }
  if (cells.length > 1 && isBlank(cells.at(-1)))
    cells.pop();
  return cells.map((cell) => cell.trim());
}

/* Definitions count wherever they stand, so they are gathered first. */
function parseMarkdown(text) {
  const lines = text.replace(/\r\n?/g, '\n').split('\n').map(expandTabs);
  const references = new Map();
  const parser = new BlockParser(references);
  for (const line of lines) {
    const definition = line.includes(']:') ? DEFINITION.exec(line) : null;
    if (definition)
      parser.definition(definition, 0);
  }
  return parser.parse(lines, 0);
}
