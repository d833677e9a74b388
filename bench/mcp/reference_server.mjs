// The alternative in bench/mcp: the official TypeScript SDK's server on stdio with one tool that
// needs no host and answers what scoutd answers for two hosts.
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { z } from 'zod';

const hosts = [1, 2].map((n) => ({ name: `web${n}`, user: 'deploy', hostname: '127.0.0.1', port: 1 }));
const server = new McpServer({ name: 'reference', version: '1.0.0' });
server.registerTool('scout', {
  description: 'Lists hosts',
  inputSchema: { target: z.string(), probe: z.boolean().optional() },
}, ({ target }) => target === 'hosts' ? {
  content: [{ type: 'text', text: 'Available hosts:\n' + hosts.map(
    (h) => `  ${h.name} -> ${h.user}@${h.hostname}:${h.port}`).join('\n') }],
  structuredContent: { kind: 'hosts', hosts, count: hosts.length },
} : {
  content: [{ type: 'text', text: `Error: unknown host in ${target}` }],
  structuredContent: { error: { code: 'unknown-host', message: `unknown host in ${target}` } },
  isError: true,
});
await server.connect(new StdioServerTransport());
