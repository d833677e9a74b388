// Lists, reads and completes resources of an MCP server (transport.mjs) with the TypeScript SDK's first or
// second client: node client_resources.mjs MODE HOST FOLDER COMMAND ARGUMENT...
// MODE is `first`, or the second client's mode of version negotiation. FOLDER is on HOST and has `note.md`
// ("# Note\n") and `pixel.png` (4 bytes).
import assert from 'node:assert/strict';
import { transportTo } from './transport.mjs';

const [mode, host, folder, command, ...args] = process.argv.slice(2);
const legacy = mode === 'first';
const { Client } = await import(
  legacy ? '@modelcontextprotocol/sdk/client/index.js' : '@modelcontextprotocol/client');
const client = new Client({ name: 'resources-check', version: '1.0.0' }, legacy ? {} : {
  versionNegotiation: { mode: mode === 'pin' ? { pin: '2026-07-28' } : mode },
});
await client.connect(await transportTo(legacy, command, args));
assert.ok(client.getServerCapabilities().resources, 'resources are offered');
assert.ok(client.getServerCapabilities().completions, 'completions are offered');

async function all(list, key) {
  const found = [];
  for (let cursor; ;) {
    const page = await list(cursor === undefined ? undefined : { cursor });
    found.push(...page[key]);
    cursor = page.nextCursor;
    if (cursor === undefined) return found;
  }
}

const resources = await all((params) => client.listResources(params), 'resources');
const uris = resources.map((one) => one.uri);
for (const path of ['docker', 'compose', 'zfs', 'zfs/snapshots', 'syslog'])
  assert.ok(uris.includes(`${host}://${path}`), path);
const templates = await all((params) => client.listResourceTemplates(params), 'resourceTemplates');
const forms = templates.map((one) => one.uriTemplate);
assert.ok(forms.includes('scout://{host}/{path*}') && forms.includes(`${host}://{path*}`));

const hosts = await client.readResource({ uri: 'hosts://list' });
assert.match(hosts.contents[0].text, new RegExp(`\\] ${host} \\(online\\)`));
for (const uri of [`scout://${host}${folder}/note.md`, `${host}:/${folder}/note.md`,
  `${host}://${encodeURIComponent(folder.slice(1) + '/note.md')}`]) {
  const { contents: [note] } = await client.readResource({ uri });
  assert.equal(note.uri, uri);
  assert.equal(note.text, '# Note\n');
  assert.equal(note.mimeType, 'text/markdown');
}
const { contents: [pixel] } = await client.readResource({ uri: `scout://${host}${folder}/pixel.png` });
assert.equal(pixel.mimeType, 'image/png');
assert.deepEqual([...Buffer.from(pixel.blob, 'base64')], [0x89, 0x50, 0, 0xff]);

await assert.rejects(client.readResource({ uri: `scout://${host}/nope` }), (error) => {
  assert.equal(error.code, legacy ? -32002 : -32602); // the second client makes one code of both
  assert.match(error.message, /Path not found: \/nope/);
  return true;
});
await assert.rejects(client.readResource({ uri: 'nowhere://docker' }), /Unknown host 'nowhere'/);
await assert.rejects(client.listResources({ cursor: 'bogus' }), /Invalid cursor/);

const ref = { type: 'ref/resource', uri: 'scout://{host}/{path*}' };
const names = await client.complete({ ref, argument: { name: 'host', value: host.slice(0, 3) } });
assert.deepEqual(names.completion.values, [host]);
const paths = await client.complete({ ref, argument: { name: 'path', value: `${folder}/no` },
  context: { arguments: { host } } });
assert.deepEqual(paths.completion.values, [`${folder}/note.md`]);
await client.close();
console.log(`${mode}: ok`);
