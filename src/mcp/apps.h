/* Private to mcp: what client and server say to each other about MCP Apps (SEP-1865, 2026-01-26),
 * the extension UI_EXTENSION. */
#ifndef SCOUT_MCP_APPS_H
#define SCOUT_MCP_APPS_H

#include "scout/base/json.h"
#include "scout/tools/tool.h"

/* Whether a client with these capabilities (raw; empty when there are none) shows pages of the type
 * that we have. */
bool apps_are_shown(struct slice capabilities);

/* Whether there are pages. */
bool apps_are_offered(const struct tool_registry *registry);

/* The member of "extensions" of the server's capabilities. */
void apps_write_extension(struct json_writer *w);

#endif
