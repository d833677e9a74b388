// The markdown parser of the pages (src/ui), without a browser: what it makes of the usual pieces, and that
// no text makes it slow or throws it. The trees are written as HTML here, which the pages never do.
//     node test_markdown.mjs            the tests
//     node test_markdown.mjs FILE       prints a document
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../../src/ui');
const source = ['path.js', 'markdown_emphasis.js', 'markdown_inline.js', 'markdown_blocks.js']
  .map((name) => fs.readFileSync(path.join(folder, name), 'utf8')).join('');
const { parseMarkdown } = vm.runInThisContext(`(() => { 'use strict'; ${source}\nreturn { parseMarkdown }; })()`);

const escape = (text) => text.replace(/[&<>"]/g, (each) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[each]);

function inline(nodes) {
  return nodes.map((node) => {
    if (typeof node === 'string')
      return escape(node);
    if (node.tag === 'br')
      return '<br>\n';
    if (node.tag === 'code')
      return `<code>${escape(node.text)}</code>`;
    if (node.tag === 'image')
      return `<img src="${escape(node.to)}" alt="${escape(node.text)}">`;
    if (node.tag === 'link')
      return `<a href="${escape(node.to)}"${node.title === undefined ? '' : ` title="${escape(node.title)}"`}>${inline(node.children)}</a>`;
    return `<${node.tag}>${inline(node.children)}</${node.tag}>`;
  }).join('');
}

function item(node, tight) {
  const box = node.task === undefined ? '' : `<input type="checkbox"${node.task ? ' checked' : ''}> `;
  const body = node.children.map((child) => (tight && child.tag === 'p' ? inline(child.inline) : block(child))).join('\n');
  return `<li>${box}${body}</li>`;
}

function block(node) {
  if (node.tag === 'hr')
    return '<hr>';
  if (node.tag === 'pre')
    return `<pre><code${node.info ? ` class="language-${escape(node.info)}"` : ''}>${escape(node.text)}</code></pre>`;
  if (node.tag === 'blockquote')
    return `<blockquote>${blocks(node.children)}</blockquote>`;
  if (node.tag === 'ul' || node.tag === 'ol')
    return `<${node.tag}${node.start === undefined || node.start === 1 ? '' : ` start="${node.start}"`}>${node.children.map((each) => item(each, node.tight)).join('')}</${node.tag}>`;
  if (node.tag === 'table') {
    const row = (tag, cells) => `<tr>${cells.map((cell) => `<${tag}>${inline(cell)}</${tag}>`).join('')}</tr>`;
    return `<table>${row('th', node.head)}${node.rows.map((cells) => row('td', cells)).join('')}</table>`;
  }
  return `<${node.tag}>${inline(node.inline)}</${node.tag}>`;
}

const blocks = (nodes) => nodes.map(block).join('\n');
const render = (text) => blocks(parseMarkdown(text));

const CASES = [
  ['# a\n## b ##\n### c # d\n#\n#x', '<h1>a</h1>\n<h2>b</h2>\n<h3>c # d</h3>\n<h1></h1>\n<p>#x</p>'],
  ['a\n=\nb\n---\nc', '<h1>a</h1>\n<h2>b</h2>\n<p>c</p>'],
  ['a\nb\n\nc', '<p>a\nb</p>\n<p>c</p>'],
  ['a  \nb\\\nc', '<p>a<br>\nb<br>\nc</p>'],
  ['*a* **b** ***c*** _d_ __e__ ~~f~~', '<p><em>a</em> <strong>b</strong> <em><strong>c</strong></em> <em>d</em> <strong>e</strong> <del>f</del></p>'],
  ['a_b_c 2*3*4 * x * **', '<p>a_b_c 2<em>3</em>4 * x * **</p>'],
  ['**a *b* c** *a **b** c*', '<p><strong>a <em>b</em> c</strong> <em>a <strong>b</strong> c</em></p>'],
  ['*a **b* c**', '<p><em>a <em><em>b</em> c</em></em></p>'],
  ['`a` ``b ` c`` `d', '<p><code>a</code> <code>b ` c</code> `d</p>'],
  ['`<b>` &lt; &amp;copy; &#x41; &nope;', '<p><code>&lt;b&gt;</code> &lt; &amp;copy; A &amp;nope;</p>'],
  ['\\*a\\* \\q', '<p>*a* \\q</p>'],
  ['[a](b) [c](<d e> "t") [f](g \'h\') [i]', '<p><a href="b">a</a> <a href="d e" title="t">c</a> <a href="g" title="h">f</a> [i]</p>'],
  ['[a][b] [b][] [B] ![x *y*](z)\n\n[b]: /u "T"', '<p><a href="/u" title="T">a</a> <a href="/u" title="T">b</a> <a href="/u" title="T">B</a> <img src="z" alt="x y"></p>'],
  ['[a [b](c) d](e)', '<p>[a <a href="c">b</a> d](e)</p>'],
  ['[![i](j)](k)', '<p><a href="k"><img src="j" alt="i"></a></p>'],
  ['[a](b(c)d) [e](f\\)g)', '<p><a href="b(c)d">a</a> <a href="f)g">e</a></p>'],
  ['<https://a.b/c> https://d.e/f?g=h. (https://i.j)', '<p><a href="https://a.b/c">https://a.b/c</a> <a href="https://d.e/f?g=h">https://d.e/f?g=h</a>. (<a href="https://i.j">https://i.j</a>)</p>'],
  ['xhttps://a.b', '<p>xhttps://a.b</p>'],
  ['- a\n- b\n  - c\n- d', '<ul><li>a</li><li>b\n<ul><li>c</li></ul></li><li>d</li></ul>'],
  ['- a\n\n- b', '<ul><li><p>a</p></li><li><p>b</p></li></ul>'],
  ['3. a\n4. b\n\ntext', '<ol start="3"><li>a</li><li>b</li></ol>\n<p>text</p>'],
  ['- a\n\n      code\n* b', '<ul><li><p>a</p>\n<pre><code>code</code></pre></li></ul>\n<ul><li>b</li></ul>'],
  ['- [x] a\n- [ ] b\n- [y] c', '<ul><li><input type="checkbox" checked> a</li><li><input type="checkbox"> b</li><li>[y] c</li></ul>'],
  ['a\n- b', '<p>a</p>\n<ul><li>b</li></ul>'],
  ['a\n2. b', '<p>a\n2. b</p>'],
  ['> a\nb\n> > c\n\nd', '<blockquote><p>a\nb</p>\n<blockquote><p>c</p></blockquote></blockquote>\n<p>d</p>'],
  ['- ```\n*a*', '<ul><li><pre><code></code></pre></li></ul>\n<p><em>a</em></p>'],
  ['> # a\nb\n> - c\nd', '<blockquote><h1>a</h1></blockquote>\n<p>b</p>\n<blockquote><ul><li>c\nd</li></ul></blockquote>'],
  ['- a\n===\n\n1. b', '<ul><li>a\n===</li></ul>\n<ol><li>b</li></ol>'],
  ['```js\na\n\n b\n```\nc', '<pre><code class="language-js">a\n\n b</code></pre>\n<p>c</p>'],
  ['~~~\na\n```', '<pre><code>a\n```</code></pre>'],
  ['    a\n\n     b\n\nc', '<pre><code>a\n\n b</code></pre>\n<p>c</p>'],
  ['\ta', '<pre><code>a</code></pre>'],
  ['* * *\n___', '<hr>\n<hr>'],
  ['|a|b|\n|-|:-:|\n|1|2|3|\n|\\|4|\n\nx', '<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr><tr><td>|4</td><td></td></tr></table>\n<p>x</p>'],
  ['a | b\nc', '<p>a | b\nc</p>'],
  ['<div onclick="x">*a*</div>\n<!-- b -->', '<p>&lt;div onclick=&quot;x&quot;&gt;<em>a</em>&lt;/div&gt;\n&lt;!-- b --&gt;</p>'],
  ['a\r\nb\rc', '<p>a\nb\nc</p>'],
  ['', ''],
];

function testCases() {
  for (const [text, expected] of CASES)
    assert.equal(render(text), expected, JSON.stringify(text));
}

// Texts that make a parser look again and again at what it has seen. Half a megabyte of each takes
// far less than a second; where time goes by the square of the length it takes many.
const HOSTILE = ['[', ']', '![', '*', '**a', '*a_', '_a*', 'a**b', '`', '``a`', '[a](', '[a](<', '[a][', '(', '> ', '- ', '1. ', '# ', '|', '\\', '&', '&#',
  '<', '<http://', 'http://a', 'https://a.(', '~~', '~~a', '~', '\n', '\n\n', '- a\n', '> a\n', '> - ', '- > ', '\t', ' ', '    a\n', '[a]: b\n', '[a]\n', '```\n', '|-', '|a|b|\n|-|-|\n',
  '**a *b ', '[*a](', '*[a](b', '!', 'a\n=\n', '"', '[a]("', '\\\n', '  \n', '***', '* _', '_ *a', '[[a](b)', '![[a](b)', '[http://a ', '![http://a ', '[a]http://b ', 'a\n', 'a  b\n', `a${' '.repeat(200)}\n`, `[a](b${' '.repeat(98)}`, `[a](b ${'"c'.repeat(40)}`, `[a]: b${' '.repeat(98)}"\n`,
  `*${' '.repeat(200)}`, '"', "'", '[a](b(', '**a__'];

// Milliseconds of the processor, which a busy machine does not add to.
function timeOf(text) {
  const begun = process.cpuUsage();
  parseMarkdown(text);
  const used = process.cpuUsage(begun);
  return (used.user + used.system) / 1000;
}

function testTime() {
  const size = 500000;
  for (const piece of HOSTILE) {
    const time = timeOf(`x${piece.repeat(size / piece.length)}\n\n${piece}`);
    assert.ok(time < 5000, `${JSON.stringify(piece)}: ${Math.round(time)} ms`);
  }
}

// What is nested as deep as a text can be must not be a tree that deep: whoever walks it has a stack.
function depthOf(nodes) {
  return nodes.reduce((depth, node) => Math.max(depth, 1 + Math.max(0, ...[node.children, node.inline].map((each) => (Array.isArray(each) ? depthOf(each) : 0)))), 0);
}

function testDepth() {
  const pairs = [['*a ', ' b*'], ['**a ', ' b**'], ['*a **b ', ' c** d*'], ['_a ', ' b_'], ['~~a ~b ', ' c~ d~~'], ['***a ', ' b***'], ['[', '](a)'], ['![', '](a)'], ['*[', '](a)*'],
    ['> ', '\n'], ['- ', '\n'], ['> - 1. ', '\n']];
  for (const [open, close] of pairs) {
    const text = open.repeat(10000) + 'x' + close.repeat(10000);
    assert.ok(timeOf(text) < 3000, open);
    const tree = parseMarkdown(text);
    assert.ok(depthOf(tree) < 100, `${open}: ${depthOf(tree)} deep`);
    assert.ok(render(text).includes('x'));
  }
}

// Pieces put together at random from a fixed seed.
function testRandom() {
  let seed = 12345;
  const next = (limit) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % limit;
  };
  for (let round = 0; round < 4000; round++) {
    let text = '';
    for (let count = next(40); count > 0; count--)
      text += HOSTILE[next(HOSTILE.length)];
    const html = render(text);
    assert.ok(!/<(?!\/?(h[1-6]|p|em|strong|del|code|pre|br|hr|a|img|ul|ol|li|input|blockquote|table|tr|th|td)[ >])/.test(html), JSON.stringify(text));
  }
}

if (process.argv[2]) {
  console.log(render(fs.readFileSync(process.argv[2], 'utf8')));
} else {
  testCases();
  testTime();
  testDepth();
  testRandom();
  console.log(`${CASES.length} cases, ${HOSTILE.length} hostile pieces, 4000 random texts: ok`);
}
