// Prompts, their completion, and a call that needs a person's word, of an MCP server (transport.mjs) with the
// TypeScript SDK's first or second client: node client_asks.mjs MODE HOST FILE COMMAND ARGUMENT...
// MODE is `first`, or the second client's mode of version negotiation. FILE is on HOST and here; its writing has to
// be confirmed. Who is asked says the word at the control socket, SCOUT_CONTROL, and then answers.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import { transportTo } from './transport.mjs';

const [mode, host, file, command, ...args] = process.argv.slice(2);
const first = mode === 'first';
const { Client } = await import(
  first ? '@modelcontextprotocol/sdk/client/index.js' : '@modelcontextprotocol/client');
const client = new Client({ name: 'asks-check', version: '1.0.0' }, {
  capabilities: { elicitation: { form: {} } },
  ...(first ? {} : { versionNegotiation: { mode: mode === 'pin' ? { pin: '2026-07-28' } : mode } }),
});

function approve(id) {
  return new Promise((resolve, reject) => {
    const control = net.connect(process.env.SCOUT_CONTROL);
    control.on('error', reject);
    control.once('data', (data) => { control.end(); resolve(JSON.parse(data)); });
    control.write(JSON.stringify({ op: 'approve', id }) + '\n');
  });
}

const asked = [];
let says = true;
async function answer(request) {
  asked.push(request.params.message);
  assert.deepEqual(request.params.requestedSchema.properties, {});
  if (!says) return { action: 'decline' };
  const [, id] = /scout approve (\w+)/.exec(request.params.message);
  assert.equal((await approve(id)).ok, true);
  return { action: 'accept', content: {} };
}
if (first) {
  const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js');
  client.setRequestHandler(ElicitRequestSchema, answer);
} else {
  client.setRequestHandler('elicitation/create', answer);
}
await client.connect(await transportTo(first, command, args));

const { prompts } = await client.listPrompts();
assert.deepEqual(prompts.map((one) => one.name).sort(), ['compare-hosts', 'find-cause', 'inspect-host']);
const named = { 'compare-hosts': { host_a: host, host_b: host, path: '/etc/hosts' },
  'find-cause': { host, symptom: 'no mail' }, 'inspect-host': { host } };
for (const { name } of prompts) {
  const { messages } = await client.getPrompt({ name, arguments: named[name] });
  assert.match(messages[0].content.text, new RegExp(`${host}`));
}
const { completion } = await client.complete({ ref: { type: 'ref/prompt', name: 'inspect-host' },
  argument: { name: 'host', value: host.slice(0, 3) } });
assert.deepEqual(completion.values, [host]);

const write = () => client.callTool({ name: 'write', arguments: { target: `${host}:${file}`, content: 'written\n' } });
const written = await write();
assert.ok(!written.isError, JSON.stringify(written));
assert.equal(fs.readFileSync(file, 'utf8'), 'written\n');
assert.equal(asked.length, 1);
assert.ok(!asked[0].includes('password'));

says = false;
fs.rmSync(file);
const refused = await write();
assert.equal(refused.structuredContent.error.code, 'confirmation-required');
assert.equal(fs.existsSync(file), false);
assert.equal(asked.length, 2);
await client.close();
console.log(`${mode}: ok`);
