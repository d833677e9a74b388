
/* Emphasis: runs of stars, underscores and tildes among the nodes of a text become nodes around what
 * stands between them, by CommonMark's rules. Runs are {run, length, full, opens, closes} until then. */

const INLINE_DEPTH_MAX = 32; /* of emphasis within emphasis; what is deeper stays text */

function depthOf(nodes) {
  return nodes.reduce((depth, node) => Math.max(depth, node.depth ?? 0), 0);
}

function plainText(nodes) {
  return nodes.map((node) => (typeof node === 'string' ? node
    : node.tag === 'br' ? '\n' : node.text ?? plainText(node.children || []))).join('');
}

/* Whether the two runs go together; CommonMark's rule of three keeps `*a**b*` apart. */
function runsMatch(opener, closer) {
  if (opener.run !== closer.run || !opener.opens)
    return false;
  if (closer.run === '~')
    return opener.length === closer.length;
  const mixed = (opener.closes || closer.opens) && (opener.full + closer.full) % 3 === 0;
  return !mixed || (opener.full % 3 === 0 && closer.full % 3 === 0);
}

/* The emphasis among a list of nodes: each closing run takes the nearest opening one. Where a kind of
 * run found none, the place is remembered, and the next of that kind does not look below it. */
function finishNodes(nodes) {
  const out = [];
  const openers = [];
  const bottoms = new Map();
  for (const node of nodes) {
    if (node.run === undefined) {
      out.push(node);
      continue;
    }
    closeRuns(node, out, openers, bottoms);
    if (node.length > 0) {
      if (node.opens)
        openers.push(out.length);
      out.push(node);
    }
  }
  return mergeText(out.map((node) => (node.run === undefined ? node : node.run.repeat(node.length))));
}

function closeRuns(closer, out, openers, bottoms) {
  while (closer.closes && closer.length > 0) {
    const kind = `${closer.run}${closer.opens}${closer.run === '~' ? closer.length : closer.full % 3}`;
    const bottom = bottoms.get(kind) ?? 0;
    let at = openers.length - 1;
    while (at >= bottom && !runsMatch(out[openers[at]], closer))
      at--;
    if (at < bottom || !wrapRuns(out, openers[at], closer)) {
      bottoms.set(kind, openers.length);
      return;
    }
    openers.length = out[openers[at]]?.run !== undefined && out[openers[at]].length > 0 ? at + 1 : at;
    for (const [key, value] of bottoms)
      bottoms.set(key, Math.min(value, openers.length));
  }
}

/* What stands behind the opening run becomes one node, unless that would be too deep. */
function wrapRuns(out, index, closer) {
  const opener = out[index];
  const depth = 1 + depthOf(out.slice(index + 1));
  if (depth > INLINE_DEPTH_MAX)
    return false;
  const used = closer.run === '~' ? closer.length : Math.min(opener.length, closer.length, 2);
  const children = mergeText(out.splice(index + 1).map((node) => (node.run === undefined ? node : node.run.repeat(node.length))));
  opener.length -= used;
  closer.length -= used;
  const tag = closer.run === '~' ? 'del' : used === 2 ? 'strong' : 'em';
  if (opener.length === 0)
    out.pop();
  out.push({ tag, children, depth });
  return true;
}

function mergeText(nodes) {
  const out = [];
  for (const node of nodes) {
    if (typeof node === 'string' && typeof out.at(-1) === 'string')
      out[out.length - 1] += node;
    else if (node !== '')
      out.push(node);
  }
  return out;
}
