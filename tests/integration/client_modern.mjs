// Drives an MCP server (transport.mjs) with the TypeScript SDK's second client, in the given mode of
// version negotiation: node client_modern.mjs MODE ERA HOST:FILE CONTENT COMMAND ARGUMENT...
import assert from 'node:assert/strict';
import { Client } from '@modelcontextprotocol/client';
import { transportTo } from './transport.mjs';

const [mode, era, target, content, command, ...args] = process.argv.slice(2);
const client = new Client({ name: 'modern-check', version: '1.0.0' }, {
  versionNegotiation: { mode: mode === 'pin' ? { pin: '2026-07-28' } : mode },
});
await client.connect(await transportTo(false, command, args));
assert.equal(client.getProtocolEra(), era);
const { tools } = await client.listTools();
assert.ok(tools.some((tool) => tool.name === 'scout'), 'tools/list has scout');
const hosts = await client.callTool({ name: 'scout', arguments: { target: 'hosts' } });
assert.equal(hosts.structuredContent.kind, 'hosts');
const file = await client.callTool({ name: 'scout', arguments: { target } });
assert.equal(file.content[0].text, content);
const missing = await client.callTool({ name: 'scout', arguments: { target: target + '.missing' } });
assert.equal(missing.isError, true);
await client.close();
console.log(`${mode}: ok`);
