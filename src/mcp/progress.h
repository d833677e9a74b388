/* Private to mcp: notifications/progress (MCP "Progress", the same in all revisions). */
#ifndef SCOUT_MCP_PROGRESS_H
#define SCOUT_MCP_PROGRESS_H

#include "request.h"

#define PROGRESS_INTERVAL_MS 250 /* between two notifications for one request */

/* The raw `_meta.progressToken` of `params`, empty where there is none. False when it is neither a
 * string nor an integer (of MCP_ID_MAX bytes at most). */
bool progress_token(struct slice params, struct slice *token);

/* From now on `r` is told of under that token. */
void progress_want(struct request *r, struct slice token);

/* A tool_progress_fn; the call's owner is a request. */
void progress_tell(struct tool_call *call, uint64_t done, uint64_t total, const char *message);

#endif
