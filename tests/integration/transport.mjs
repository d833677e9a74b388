// The transport to an MCP server: a program's stdin and stdout, or, where the command is a URL,
// Streamable HTTP with the token of SCOUT_TOKEN.
export async function transportTo(first, command, args) {
  const at = (path) => (first ? `@modelcontextprotocol/sdk/client/${path}.js` : '@modelcontextprotocol/client');
  if (/^https?:/.test(command)) {
    const { StreamableHTTPClientTransport } = await import(at('streamableHttp'));
    const headers = { Authorization: `Bearer ${process.env.SCOUT_TOKEN}` };
    return new StreamableHTTPClientTransport(new URL(command), { requestInit: { headers } });
  }
  const { StdioClientTransport } = await import(first ? at('stdio') : `${at('stdio')}/stdio`);
  return new StdioClientTransport({ command, args, env: process.env });
}
