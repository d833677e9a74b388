
/* Markdown within a paragraph: text -> a tree of plain objects. After CommonMark, with the strikethrough
 * and bare addresses of GitHub's; HTML is text. Nothing here touches the document.
 *
 * Nodes: a string, or {tag: em|strong|del|code|br|link|image, children?, depth?, text?, to?, title?}.
 * Every scan goes forward only, so that a hostile text takes time in proportion to its length (and, of
 * brackets and stars, to their number times a constant). */

const ENTITIES = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: '\u00a0', copy: '©', reg: '®', trade: '™',
  hellip: '…', mdash: '—', ndash: '–', rarr: '→', larr: '←', times: '×', middot: '·', bull: '•', deg: '°' };
const PUNCTUATION = /[!-/:-@[-`{-~\p{P}\p{S}]/u;

function decodeEntity(body) {
  if (body[0] !== '#')
    return own(ENTITIES, body);
  const code = /^#[xX]/.test(body) ? parseInt(body.slice(2), 16) : parseInt(body.slice(1), 10);
  return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000) ? String.fromCodePoint(code) : '\ufffd';
}

/* Escapes and entities of a link's parts. */
function unescapeText(text) {
  return text.replace(/\\([!-/:-@[-`{-~])|&(#[xX][0-9a-fA-F]{1,6}|#[0-9]{1,7}|[a-zA-Z]{1,8});/g,
    (whole, escaped, entity) => escaped ?? decodeEntity(entity) ?? whole);
}

function linkLabel(text) {
  return text.trim().replace(/\s+/g, ' ').toLowerCase();
}

/* The state of one text: `nodes` so far, `plain` text that is not among them yet, and open brackets. Of these the
   first `deadCount` are around a link already, and no link then; `liveCount` of the others may become one. */
class InlineParser {
  constructor(text, references) {
    Object.assign(this, { text, references, at: 0, nodes: [], plain: '', brackets: [], deadCount: 0, liveCount: 0, noFence: new Set() });
  }

  /* A tree, without what only the parser needs. */
  parse() {
    while (this.at < this.text.length)
      this.step();
    this.flush();
    return finishNodes(this.nodes);
  }

  flush() {
    if (this.plain !== '')
      this.nodes.push(this.plain);
    this.plain = '';
  }

  push(node) {
    this.flush();
    this.nodes.push(node);
  }

  step() {
    const character = this.text[this.at];
    const special = { '\\': 'escape', '`': 'code', '*': 'delimiters', '_': 'delimiters', '~': 'delimiters', '[': 'open', '!': 'image',
      ']': 'close', '<': 'autolink', '&': 'entity', '\n': 'lineBreak', h: 'address' }[character];
    if (special === undefined || !this[special]()) {
      this.plain += character;
      this.at++;
    }
  }

  escape() {
    const next = this.text[this.at + 1];
    if (next === '\n') {
      this.at++;
      return this.hardBreak();
    }
    if (next === undefined || !/[!-/:-@[-`{-~]/.test(next))
      return false;
    this.plain += next;
    this.at += 2;
    return true;
  }

  hardBreak() {
    this.push({ tag: 'br' });
    this.at++;
    return true;
  }

  lineBreak() {
    const isHard = this.plain.endsWith('  ');
    this.plain = this.plain.trimEnd();
    if (isHard)
      return this.hardBreak();
    this.plain += '\n';
    this.flush(); /* so that what is looked at line by line is no longer than a line */
    this.at++;
    return true;
  }

  entity() {
    const found = /^&(#[xX][0-9a-fA-F]{1,6}|#[0-9]{1,7}|[a-zA-Z]{1,8});/.exec(this.text.slice(this.at, this.at + 12));
    const decoded = found ? decodeEntity(found[1]) : undefined;
    if (decoded === undefined)
      return false;
    this.plain += decoded;
    this.at += found[0].length;
    return true;
  }

  runLength(character, at) {
    let end = at;
    while (this.text[end] === character)
      end++;
    return end - at;
  }

  /* A run of backticks and the next run of the same length. That there is none is remembered. */
  code() {
    const length = this.runLength('`', this.at);
    const begin = this.at + length;
    let end = this.noFence.has(length) ? -1 : this.text.indexOf('`', begin);
    while (end >= 0) {
      const found = this.runLength('`', end);
      if (found === length)
        break;
      end = this.text.indexOf('`', end + found);
    }
    if (end < 0) {
      this.noFence.add(length);
      this.plain += '`'.repeat(length);
      this.at = begin;
      return true;
    }
    const body = this.text.slice(begin, end).replace(/\n/g, ' ');
    const padded = body.length > 2 && body[0] === ' ' && body.at(-1) === ' ' && body.trim() !== '';
    this.push({ tag: 'code', text: padded ? body.slice(1, -1) : body });
    this.at = end + length;
    return true;
  }

  /* A run of stars, underscores or tildes: whether it can open or close goes by what is around it. */
  delimiters() {
    const character = this.text[this.at];
    const length = this.runLength(character, this.at);
    const before = this.at === 0 ? '\n' : this.text[this.at - 1];
    const after = this.text[this.at + length] ?? '\n';
    const spaceBefore = /\s/.test(before), spaceAfter = /\s/.test(after);
    const markBefore = PUNCTUATION.test(before), markAfter = PUNCTUATION.test(after);
    const left = !spaceAfter && (!markAfter || spaceBefore || markBefore);
    const right = !spaceBefore && (!markBefore || spaceAfter || markAfter);
    const within = character === '_';
    this.at += length;
    if (character === '~' && length > 2) {
      this.plain += '~'.repeat(length);
      return true;
    }
    this.push({ run: character, length, full: length, opens: left && (!within || !right || markBefore),
      closes: right && (!within || !left || markAfter) });
    return true;
  }

  open() {
    return this.openBracket(1);
  }

  image() {
    return this.text[this.at + 1] === '[' && this.openBracket(2);
  }

  openBracket(length) {
    this.flush();
    this.brackets.push({ index: this.nodes.length, textAt: this.at + length, isImage: length === 2 });
    this.liveCount += length === 1 ? 1 : 0;
    this.nodes.push(length === 2 ? '![' : '[');
    this.at += length;
    return true;
  }

  close() {
    const bracket = this.brackets.pop();
    const isDead = bracket && !bracket.isImage && this.brackets.length < this.deadCount;
    this.deadCount = Math.min(this.deadCount, this.brackets.length);
    if (!bracket || isDead)
      return false;
    this.liveCount -= bracket.isImage ? 0 : 1;
    const label = this.text.slice(bracket.textAt, this.at);
    const target = this.linkTarget(this.at + 1) ?? this.referenceTarget(this.at + 1, label);
    if (!target)
      return false;
    this.flush();
    const children = finishNodes(this.nodes.splice(bracket.index).slice(1));
    this.nodes.push(bracket.isImage ? { tag: 'image', to: target.to, text: plainText(children) }
      : { tag: 'link', to: target.to, title: target.title, children, depth: depthOf(children) });
    if (!bracket.isImage) {
      this.deadCount = this.brackets.length;
      this.liveCount = 0;
    }
    this.at = target.end;
    return true;
  }

  /* "(to "title")" at `at`. */
  linkTarget(at) {
    if (this.text[at] !== '(')
      return undefined;
    const found = /^\(\s{0,99}(?:<([^<>\n]{0,2048})>|(?!<)((?:[^\s()\\]|\\.|\([^\s()]{0,512}\)){0,2048}))(?:\s{1,99}(?:"((?:[^"\\]|\\.){0,1024})"|'((?:[^'\\]|\\.){0,1024})'))?\s{0,99}\)/
      .exec(this.text.slice(at, at + 4096));
    if (!found)
      return undefined;
    const title = found[3] ?? found[4];
    return { to: unescapeText(found[1] ?? found[2]), title: title === undefined ? undefined : unescapeText(title), end: at + found[0].length };
  }

  /* "[label]", "[]" or nothing at `at`: of a definition elsewhere. */
  referenceTarget(at, own_label) {
    const found = /^\[([^[\]]{0,999})\]/.exec(this.text.slice(at, at + 1001));
    const name = found && found[1].trim() !== '' ? found[1] : own_label;
    const definition = name.length <= 999 ? this.references.get(linkLabel(name)) : undefined;
    return definition && { ...definition, end: at + (found ? found[0].length : 0) };
  }

  autolink() {
    const found = /^<(https?:\/\/[^\s<>]{1,2048})>/i.exec(this.text.slice(this.at, this.at + 2060));
    if (!found)
      return false;
    this.push({ tag: 'link', to: found[1], children: [found[1]] });
    this.at += found[0].length;
    return true;
  }

  /* A bare address, unless it stands within a word or a link. */
  address() {
    if (/\w/.test(this.text[this.at - 1] ?? ' '))
      return false;
    const found = /^https?:\/\/[\w-][^\s<>[\]`*]{1,2048}/i.exec(this.text.slice(this.at, this.at + 2060));
    if (!found || this.liveCount > 0)
      return false;
    let to = found[0].replace(/[?!.,:*_~'"]{1,99}$/, '');
    if (to.endsWith(')') && !to.includes('('))
      to = to.slice(0, -1);
    this.push({ tag: 'link', to, children: [to] });
    this.at += to.length;
    return true;
  }
}

function parseInline(text, references) {
  return new InlineParser(text, references).parse();
}
