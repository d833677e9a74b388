
/* Paths of hosts, and what their names tell. */

const LANGUAGES = { py: 'python', js: 'javascript', ts: 'typescript', json: 'json', yaml: 'yaml', yml: 'yaml',
  sh: 'bash', bash: 'bash', md: 'markdown', markdown: 'markdown', html: 'html', css: 'css', sql: 'sql' };

const TYPES = { py: 'text/x-python', js: 'text/javascript', ts: 'text/typescript', json: 'application/json',
  yaml: 'text/yaml', yml: 'text/yaml', sh: 'text/x-shellscript', bash: 'text/x-shellscript', md: 'text/markdown',
  markdown: 'text/markdown', html: 'text/html', htm: 'text/html', css: 'text/css', sql: 'application/sql',
  xml: 'application/xml', csv: 'text/csv', toml: 'application/toml', ini: 'text/plain', conf: 'text/plain',
  c: 'text/x-c', h: 'text/x-c', rs: 'text/x-rust', go: 'text/x-go', java: 'text/x-java' };

function baseName(path) {
  return path.slice(path.lastIndexOf('/') + 1);
}

function extensionOf(path) {
  const name = baseName(path);
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
}

function own(table, key) {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}

function languageOf(path) {
  return own(LANGUAGES, extensionOf(path)) || 'text';
}

function typeOf(path) {
  return own(TYPES, extensionOf(path)) || 'text/plain';
}

/* Which viewer a file gets. */
function viewerOf(path) {
  const extension = extensionOf(path);
  if (extension === 'md' || extension === 'markdown')
    return 'markdown';
  if (extension === 'log' || extension === 'logs' || path.includes('/log/'))
    return 'log';
  return 'file';
}

function joinPath(directory, name) {
  return directory.endsWith('/') ? directory + name : `${directory}/${name}`;
}

/* The directory above; undefined where that is not known by the name alone. */
function parentPath(path) {
  const trimmed = path.replace(/\/+$/, '');
  const slash = trimmed.lastIndexOf('/');
  if (trimmed === '' || slash < 0)
    return undefined;
  return slash === 0 ? '/' : trimmed.slice(0, slash);
}

/* [{name, path}] from the outermost directory to the path itself. */
function pathSteps(path) {
  const steps = [];
  for (let at = path; at !== undefined; at = parentPath(at))
    steps.unshift({ name: at === '/' ? '/' : baseName(at.replace(/\/+$/, '')), path: at });
  return steps;
}

/* Where a relative link in the file at `path` leads, as a path; undefined: nowhere below the root. */
function resolvePath(path, reference) {
  let decoded;
  try {
    decoded = decodeURIComponent(reference.replace(/[?#].*$/s, ''));
  } catch {
    return undefined;
  }
  const absolute = decoded.startsWith('/');
  const steps = [];
  const base = absolute ? '' : path.slice(0, path.lastIndexOf('/') + 1);
  for (const step of (base + decoded).split('/')) {
    if (step === '..') {
      if (steps.length === 0 || steps.at(-1) === '~')
        return undefined;
      steps.pop();
    } else if (step !== '' && step !== '.') {
      steps.push(step);
    }
  }
  const rooted = absolute || path.startsWith('/');
  return rooted ? `/${steps.join('/')}` : steps.join('/') || undefined;
}
