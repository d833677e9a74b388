// The first SDK's server with one tool that answers a fixed text: node sdk_v1.mjs stdio|http.
// By HTTP it has sessions and answers with events, as it does by itself, and prints its address.
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';

const content = [{ type: 'text', text: 'This is a simple text response for testing.' }];

function make() {
  const server = new McpServer({ name: 'v1', version: '1.0.0' });
  server.registerTool('test_simple_text', { description: 'Answers with a text' }, () => ({ content }));
  return server;
}

const sessions = new Map();

async function serve(request, response) {
  let transport = sessions.get(request.headers['mcp-session-id']);
  if (!transport) {
    transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => sessions.set(id, transport),
    });
    await make().connect(transport);
  }
  await transport.handleRequest(request, response);
}

if (process.argv[2] === 'http') {
  const listener = http.createServer(serve).listen(0, '127.0.0.1', () =>
    console.log(`http://127.0.0.1:${listener.address().port}/mcp`));
} else {
  await make().connect(new StdioServerTransport());
}
