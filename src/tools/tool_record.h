/* Private to tools: what of a call goes on record. */
#ifndef SCOUT_TOOLS_TOOL_RECORD_H
#define SCOUT_TOOLS_TOOL_RECORD_H

#include "scout/tools/tool.h"

void tool_record_init(struct tool_call *call);
void tool_record_fini(struct tool_call *call);

/* Policy refused that. */
void tool_record_refused(struct tool_call *call, const struct policy_request *request);

/* The effect is about to begin: `fn` as audit_begin has it. There must be an audit. */
void tool_record_begin(struct tool_call *call, audit_fn *fn);

/* Who called, kept over the end of the call: the caller's identity may go with on_done. */
struct tool_record {
    struct identity identity;
};

/* Before on_done, and after it. */
void tool_record_take(const struct tool_call *call, struct tool_record *out);
void tool_record_end(struct tool_call *call, const struct tool_record *record,
                     const struct tool_result *result);

#endif
