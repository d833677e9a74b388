/* Private to mcp: a request that becomes a call of a tool, with its deadline, record, log line,
 * progress and cancellation. Methods other than tools/call use it with tools that are not listed.
 */
#ifndef SCOUT_MCP_CALL_H
#define SCOUT_MCP_CALL_H

#include "request.h"
#include "scout/tools/tool.h"

struct call_start {
    const struct tool *tool;
    struct slice arguments;    /* raw; an object, or empty */
    struct slice params;       /* of the request: for its progress token */
    request_answer_fn *answer; /* writes what came of it */
};

void call_start(struct mcp_session *s, const struct reply_to *to, const struct call_start *start);
/* The client wants no answer any more. */
void call_cancel(struct mcp_session *s, struct request *r);

/* An answer_write_fn: what the tool wrote. `context` is the struct tool_result. */
void call_write_result(struct json_writer *w, const struct mcp_session *s, const void *context);

/* The error of a method about a resource that failed for `why`; returns 0. */
size_t answer_resource_fault(struct mcp_session *s, const struct reply_to *to,
                             const struct tool_call *call, const struct failure *why);

#endif
