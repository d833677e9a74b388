
/* The markdown viewer: the parser's tree as elements, one function for each kind of node. Links lead to
 * http and https through whoever shows the page, within the document, or to another path of the host;
 * all else is text. Images are not loaded. */

const MARKDOWN_MAX = 1024 * 1024; /* characters that are shown as a document */

/* What a link's destination is: {kind: web, url} | {kind: anchor, name} | {kind: path, path} | undefined. */
function linkOf(to, path) {
  const clean = to.trim();
  if (/[\0-\x20\x7f]/.test(clean) || clean === '')
    return undefined;
  if (/^https?:\/\/[^/?#\\]/i.test(clean)) {
    try {
      const url = new URL(clean);
      return url.protocol === 'http:' || url.protocol === 'https:' ? { kind: 'web', url: url.href } : undefined;
    } catch {
      return undefined;
    }
  }
  if (clean.startsWith('#'))
    return { kind: 'anchor', name: clean.slice(1).toLowerCase() };
  if (/^[a-z][a-z0-9+.-]*:/i.test(clean) || /^[/\\]{2}/.test(clean))
    return undefined;
  const resolved = resolvePath(path, clean);
  return resolved === undefined ? undefined : { kind: 'path', path: resolved };
}

function slugOf(text) {
  return text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replace(/\s/g, '-');
}

class MarkdownView {
  constructor(bridge, data) {
    Object.assign(this, { bridge, data, headings: new Map() });
  }

  blocks(blocks) {
    return blocks.map((block) => this.block(block));
  }

  block(block) {
    const make = { pre: 'pre', hr: 'rule', ul: 'list', ol: 'list', li: 'item', blockquote: 'quote', table: 'table', p: 'paragraph' }[block.tag];
    return this[make || 'heading'](block);
  }

  paragraph({ inline }) {
    return el('p', {}, ...this.inline(inline));
  }

  heading({ tag, inline }) {
    const made = el(tag, { tabindex: '-1' }, ...this.inline(inline));
    const slug = slugOf(plainText(inline));
    if (!this.headings.has(slug))
      this.headings.set(slug, made);
    return made;
  }

  pre({ text, info }) {
    return el('pre', { tabindex: '0', 'data-language': info || undefined }, el('code', {}, ...shown(text)));
  }

  rule() {
    return el('hr');
  }

  quote({ children }) {
    return el('blockquote', {}, ...this.blocks(children));
  }

  list({ tag, start, tight, children }) {
    return el(tag, { start: start === 1 ? undefined : start }, ...children.map((child) => this.item(child, tight)));
  }

  item({ task, children }, tight) {
    const made = el('li', { class: task === undefined ? undefined : 'task' });
    if (task !== undefined)
      made.append(el('input', { type: 'checkbox', disabled: true, checked: task, 'aria-label': task ? 'done' : 'to do' }), ' ');
    for (const child of children)
      made.append(...(tight && child.tag === 'p' ? this.inline(child.inline) : [this.block(child)]));
    return made;
  }

  table({ align, head, rows }) {
    const row = (tag, cells) => el('tr', {}, ...cells.map((cell, index) => el(tag, { class: align[index] || undefined }, ...this.inline(cell))));
    return el('div', { class: 'scroll', tabindex: '0' }, el('table', {}, el('thead', {}, row('th', head)),
      el('tbody', {}, ...rows.map((cells) => row('td', cells)))));
  }

  inline(nodes) {
    return nodes.flatMap((node) => (typeof node === 'string' ? shown(node) : [this.inlineNode(node)]));
  }

  inlineNode(node) {
    if (node.tag === 'code')
      return el('code', {}, ...shown(node.text));
    if (node.tag === 'br')
      return el('br');
    if (node.tag === 'image')
      return el('span', { class: 'image', title: shownText(node.to) }, 'image: ', ...shown(node.text || node.to));
    if (node.tag === 'link')
      return this.link(node);
    return el(node.tag, {}, ...this.inline(node.children));
  }

  link({ to, title, children }) {
    const link = linkOf(to, this.data.path);
    const inner = this.inline(children);
    if (!link)
      return el('span', { class: 'refused', title: `No link: ${shownText(to)}` }, ...inner);
    const made = el('button', { type: 'button', class: 'link', title: shownText(title ?? (link.kind === 'web' ? link.url : to)) }, ...inner);
    made.addEventListener('click', () => this.follow(link));
    return made;
  }

  follow(link) {
    if (link.kind === 'web') {
      this.bridge.openLink(link.url);
    } else if (link.kind === 'path') {
      if (this.bridge.canOpen)
        this.bridge.open(`${this.data.host}:${link.path}`);
    } else {
      const heading = this.headings.get(link.name);
      heading?.scrollIntoView();
      heading?.focus();
    }
  }
}

function markdownView(bridge, data) {
  const file = fileParts(bridge, data);
  const { place, wrap } = linesPlace(file.lines.length);
  const page = el('article', { class: 'document' });
  const content = contentOf('Document');
  const isLarge = file.text.length > MARKDOWN_MAX;
  let preview;

  const choose = (isPreview) => {
    preview.setAttribute('aria-pressed', String(isPreview));
    source.setAttribute('aria-pressed', String(!isPreview));
    wrap.hidden = isPreview;
    if (!isPreview && !place.hasChildNodes())
      fillLines(place, file.lines, 1);
    content.replaceChildren(isPreview ? page : place);
  };
  preview = button('Preview', () => choose(true), { pressed: true, disabled: isLarge });
  const source = button('Source', () => choose(false), { pressed: false });
  if (!isLarge)
    page.append(...new MarkdownView(bridge, data).blocks(parseMarkdown(file.text)));
  choose(!isLarge);
  return { nodes: [
    headOf({ iconName: 'markdown', mark: '📝', title: file.title, subtitle: 'Markdown Viewer', actions: [copyButton(file.text)] }),
    file.crumbs,
    el('div', { class: 'bar' }, el('div', { class: 'group', role: 'group', 'aria-label': 'Show as' }, preview, source), wrap),
    ...file.notices,
    content,
  ] };
}

VIEWERS.markdown = markdownView;
