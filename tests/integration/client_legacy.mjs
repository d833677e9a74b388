// Drives an MCP server (transport.mjs) with the TypeScript SDK's first client (the initialize handshake):
// node client_legacy.mjs HOST:FILE CONTENT COMMAND ARGUMENT...
import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { transportTo } from './transport.mjs';

const [target, content, command, ...args] = process.argv.slice(2);
const client = new Client({ name: 'legacy-check', version: '1.0.0' });
await client.connect(await transportTo(true, command, args));
assert.equal(client.getServerVersion().name, 'scout_mcp');
await client.ping();
const { tools } = await client.listTools();
assert.ok(tools.some((tool) => tool.name === 'scout'), 'tools/list has scout');

// After tools/list the SDK checks structured content against the output schema by itself.
const hosts = await client.callTool({ name: 'scout', arguments: { target: 'hosts' } });
assert.equal(hosts.structuredContent.kind, 'hosts');
const file = await client.callTool({ name: 'scout', arguments: { target } });
assert.equal(file.content[0].text, content);
const folder = await client.callTool({ name: 'scout', arguments: { target: target.split(':')[0] + ':.' } });
assert.equal(folder.structuredContent.kind, 'directory');
const missing = await client.callTool({ name: 'scout', arguments: { target: target + '.missing' } });
assert.equal(missing.isError, true);
const many = await Promise.all(Array.from({ length: 50 }, () =>
  client.callTool({ name: 'scout', arguments: { target } })));
assert.ok(many.every((one) => one.content[0].text === content));
await client.close();
console.log('legacy: ok');
