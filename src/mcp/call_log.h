/* Private to mcp: the line of the log that each ended call gets. */
#ifndef SCOUT_MCP_CALL_LOG_H
#define SCOUT_MCP_CALL_LOG_H

struct mcp_session;
struct tool_call;
struct tool_result;

/* Before the call's memory goes, after it was answered. */
void call_log(struct mcp_session *s, const struct tool_call *call,
              const struct tool_result *result);

#endif
