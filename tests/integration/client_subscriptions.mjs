// Subscribes to a file of an MCP server (transport.mjs) with the TypeScript SDK's first or second client:
// node client_subscriptions.mjs MODE HOST FILE COMMAND ARGUMENT...
// MODE is `first`, or the second client's mode of version negotiation. FILE is on HOST and here; this script
// changes it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { transportTo } from './transport.mjs';

const [mode, host, file, command, ...args] = process.argv.slice(2);
const first = mode === 'first';
const { Client } = await import(
  first ? '@modelcontextprotocol/sdk/client/index.js' : '@modelcontextprotocol/client');
const client = new Client({ name: 'subscriptions-check', version: '1.0.0' }, first ? {} : {
  versionNegotiation: { mode: mode === 'pin' ? { pin: '2026-07-28' } : mode },
});
const told = [];
if (first) {
  const { ResourceUpdatedNotificationSchema } = await import('@modelcontextprotocol/sdk/types.js');
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, (one) => told.push(one.params.uri));
} else {
  client.setNotificationHandler('notifications/resources/updated', (one) => told.push(one.params.uri));
}
await client.connect(await transportTo(first, command, args));
assert.equal(client.getServerCapabilities().resources.subscribe, true);
assert.equal(client.getServerCapabilities().resources.listChanged, true);

const uri = `scout://${host}${file}`;
let listening;
if (mode === 'pin' || mode === 'auto') {
  const filter = { resourcesListChanged: true, resourceSubscriptions: [uri] };
  listening = await client.listen({ ...filter, resourceSubscriptions: [uri, `${host}://docker`] });
  assert.deepEqual(listening.honoredFilter, filter);
} else {
  await client.subscribeResource({ uri });
}

// The first look is at some moment from now on: change the file until it is told.
for (let i = 0; told.length === 0; i++) {
  assert.ok(i < 150, 'no change is told');
  fs.writeFileSync(file, 'x'.repeat(i + 1));
  await delay(200);
}
assert.ok(told.every((one) => one === uri), told.join());
if (listening) {
  await listening.close();
  assert.equal(await listening.closed, 'local');
} else {
  await client.unsubscribeResource({ uri });
}
const before = told.length;
fs.writeFileSync(file, 'and after that nothing');
await delay(3000);
assert.equal(told.length, before);
assert.equal((await client.readResource({ uri })).contents[0].text, 'and after that nothing');
await client.close();
console.log(`${mode}: ok`);
