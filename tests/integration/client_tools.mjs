// Drives every tool that an MCP server lists, in all its forms, with the TypeScript SDK's
// first or second client: node client_tools.mjs MODE HOST FOLDER COMMAND ARGUMENT...
// MODE is `first`, or the second client's mode of version negotiation. FOLDER is on HOST and here: it has `file`
// (20,000 bytes), `sub/deep.txt`, and takes what this script makes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { transportTo } from './transport.mjs';

const [mode, host, folder, command, ...args] = process.argv.slice(2);
const legacy = mode === 'first';
const sdk = legacy ? '@modelcontextprotocol/sdk/client/index.js' : '@modelcontextprotocol/client';
const { Client } = await import(sdk);

async function connect(name) {
  const client = new Client({ name, version: '1.0.0' }, legacy ? {} : {
    versionNegotiation: { mode: mode === 'pin' ? { pin: '2026-07-28' } : mode },
  });
  await client.connect(await transportTo(legacy, command, args));
  return { client, tools: (await client.listTools()).tools, driven: new Set() };
}

// After listTools the SDK itself checks structured content against the tool's output schema.
function call({ client, driven }, name, args_, options) {
  driven.add(name);
  const params = { name, arguments: args_ };
  return legacy ? client.callTool(params, undefined, options) : client.callTool(params, options);
}

async function expect(one, name, args_, kind, text) {
  const result = await call(one, name, args_);
  assert.ok(!result.isError, JSON.stringify(result));
  assert.equal(result.structuredContent.kind, kind);
  assert.match(result.content[0].text, text);
  return result.structuredContent;
}

async function until(condition, what) {
  for (const end = Date.now() + 20000; !condition();) {
    assert.ok(Date.now() < end, `waited in vain: ${what}`);
    await delay(20);
  }
}

async function driveChanges(one, at) {
  const made = await expect(one, 'write', { ...at, content: 'one\ntwo\n' }, 'write', /^Created .*\+two\n$/s);
  const edited = await expect(one, 'edit', { ...at, old_string: 'two', new_string: '2', etag: made.etag }, 'edit', /-two\n\+2\n/);
  await expect(one, 'undo', { undo: edited.undo }, 'undo', /-2\n\+two\n/);
  const removed = await expect(one, 'undo', at, 'undo', /^Removed /);
  assert.equal(removed.removed, true);
  const refused = await call(one, 'edit', { ...at, old_string: 'two', new_string: '2' });
  assert.equal(refused.structuredContent.error.code, 'path-not-found');
}

async function driveAll(one) {
  const at = (path) => ({ target: `${host}:${folder}/${path}` });
  await expect(one, 'scout', { target: 'hosts' }, 'hosts', new RegExp(host));
  await expect(one, 'scout', { target: `hosts ${host.slice(0, 3)}*`, probe: false }, 'hosts', new RegExp(host));
  await expect(one, 'scout', at('file'), 'file', /^x{20000}$/);
  await expect(one, 'scout', at(''), 'directory', /sub/);
  await expect(one, 'scout', { ...at(''), tree: true, depth: 2 }, 'tree', /deep\.txt/);
  await expect(one, 'scout', { ...at(''), find: '*.txt' }, 'find', /sub\/deep\.txt/);
  await expect(one, 'scout', { ...at(''), query: 'wc -c file' }, 'command', /20000 file/);
  const part = await expect(one, 'read', { ...at('file'), byte_count: 10 }, 'file', /^x{10}$/);
  assert.deepEqual([part.byte_count, part.truncated], [10, false]);
  const listed = await expect(one, 'list', at('sub'), 'directory', /deep\.txt/);
  assert.ok(listed.entries.some((entry) => entry.name === 'deep.txt'));
  const stat = await expect(one, 'stat', at('file'), 'stat', /file/);
  assert.equal(stat.size, 20000);
  const found = await expect(one, 'glob', { ...at(''), pattern: '**/*.txt' }, 'glob', /deep\.txt/);
  assert.ok(found.count >= 1);
  const lines = await expect(one, 'grep', { ...at(''), pattern: '^x{20}', glob: 'file' }, 'grep', /file:1:x/);
  assert.equal(lines.count, 1);
  await driveChanges(one, at(`changed-${Math.random()}.txt`));
  const ran = await expect(one, 'run', { host, argv: ['cat'], stdin: 'in' }, 'command', /^in\b/);
  assert.equal(ran.exit_code, 0);
  for (const name of ['scout', 'read', 'list', 'stat']) {
    const missing = await call(one, name, at('missing'));
    assert.equal(missing.isError, true);
    assert.equal(missing.structuredContent.error.code, 'path-not-found');
  }
  const cut = await expect(one, 'scout', { ...at('file'), max_output: 2000 }, 'file', /^x+\n\[… .* left out/);
  const rest = await expect(one, 'output', { handle: cut.output.handle, offset: cut.output.omitted_from }, 'output', /^x+$/);
  assert.deepEqual([rest.offset, rest.total], [1200, 20000]);
  assert.equal((await call(one, 'run', { host: 'nowhere', command: 'id' })).isError, true);
}

async function expectProgress(one) {
  const told = [];
  const result = await call(one, 'run', { host, command: 'for i in 1 2 3 4; do echo $i; sleep 0.4; done' },
    { onprogress: (progress) => told.push(progress.progress) });
  assert.equal(result.content[0].text, '1\n2\n3\n4\n');
  assert.ok(told.length >= 2, `progress was told ${told.length} times`);
  assert.deepEqual(told, [...new Set(told)].sort((a, b) => a - b));
}

async function expectCancelled(one) {
  const file = `${folder}/pid-${process.pid}`;
  const abort = new AbortController();
  const ended = call(one, 'run', { host, command: `echo $$ > ${file}.new; mv ${file}.new ${file}; sleep 300` },
    { signal: abort.signal });
  const outcome = assert.rejects(ended);
  await until(() => fs.existsSync(file), 'the command runs');
  const pid = Number(fs.readFileSync(file, 'ascii'));
  assert.ok(fs.existsSync(`/proc/${pid}`));
  abort.abort('no longer wanted');
  await outcome;
  await until(() => !fs.existsSync(`/proc/${pid}`), 'the command is stopped');
  await expect(one, 'scout', { target: `${host}:${folder}/file` }, 'file', /^x/);
}

const both = await Promise.all([connect('first'), connect('second')]);
for (const one of both) {
  assert.deepEqual(one.tools.map((tool) => tool.name).sort(), [
    'edit', 'glob', 'grep', 'list', 'output', 'read', 'run', 'scout', 'stat', 'undo', 'write']);
  assert.ok(one.tools.every((tool) => tool.outputSchema), 'each tool says what it answers');
}
await Promise.all(both.map(driveAll));
await Promise.all(both.map(expectProgress));
// One client's cancellation is nothing to the other, whose calls have the same ids.
const other = call(both[1], 'run', { host, command: 'sleep 1; echo still here' });
await expectCancelled(both[0]);
assert.match((await other).content[0].text, /^still here\n/); // what the shell says on stderr may follow
await Promise.all(Array.from({ length: 100 }, (_, i) =>
  expect(both[i % 2], 'read', { target: `${host}:${folder}/sub/deep.txt` }, 'file', /^deep\n$/)));
for (const one of both)
  assert.deepEqual([...one.driven].sort(), one.tools.map((tool) => tool.name).sort());
await Promise.all(both.map((one) => one.client.close()));
console.log(`${mode}: ok`);
