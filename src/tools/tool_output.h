/* Private to tools: the last step of a call, from what its tool wrote to what its client gets. */
#ifndef SCOUT_TOOLS_TOOL_OUTPUT_H
#define SCOUT_TOOLS_TOOL_OUTPUT_H

#include "scout/tools/tool.h"

/* Results of more bytes are made fit on a helper thread; with patterns of the configuration, which
 * are slow, those of more than the second. */
#define OUTPUT_INLINE_MAX         (64u * 1024u)
#define OUTPUT_INLINE_PATTERN_MAX (8u * 1024u)

/* Whether the client gets what the tool wrote. */
bool tool_output_is_raw(const struct tool_call *call);

/* The text of a failure may be a host's, and becomes more than a result: a protocol error, a
 * question to a person. True: *own is the failure fit for that; false: it is so already. */
bool tool_output_failure(const struct tool_call *call, const struct failure *why,
                         struct failure *own);

/* Ends in tool_call_deliver, now or later. */
void tool_output_begin(struct tool_call *call, const struct tool_result *result);
/* Nothing of it comes any more: the call is ended by the caller. Only between the two. */
void tool_output_cancel(struct tool_call *call);

/* Ends the call: tool.c. */
void tool_call_deliver(struct tool_call *call, const struct tool_result *result);

#endif
