// The second SDK's server with one tool that answers a fixed text: node sdk_v2.mjs stdio|http.
// By HTTP it prints its address.
import http from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

const content = [{ type: 'text', text: 'This is a simple text response for testing.' }];

function make() {
  const server = new McpServer({ name: 'v2', version: '1.0.0' });
  server.registerTool('test_simple_text', { description: 'Answers with a text' }, () => ({ content }));
  return server;
}

if (process.argv[2] === 'http') {
  const listener = http.createServer(toNodeHandler(createMcpHandler(make))).listen(0, '127.0.0.1', () =>
    console.log(`http://127.0.0.1:${listener.address().port}/mcp`));
} else {
  serveStdio(make);
}
