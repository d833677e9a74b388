/* Private to tools: how a call becomes a job (job.h). */
#ifndef SCOUT_TOOLS_TOOL_DETACH_H
#define SCOUT_TOOLS_TOOL_DETACH_H

#include "scout/tools/tool.h"

/* Before `start`: whether it may. */
void tool_detach_init(struct tool_call *call, const struct tool_round *round);
/* What the call takes to be begun anew, if it may. */
void tool_detach_keep(struct tool_call *call, struct slice arguments);
/* After `start`, of a call that goes on: from then on it may happen. */
void tool_detach_arm(struct tool_call *call);
/* The call's on_done is about to come: it does not happen any more. */
void tool_detach_stop(struct tool_call *call);
/* Behind on_done. */
void tool_detach_fini(struct tool_call *call);

#endif
